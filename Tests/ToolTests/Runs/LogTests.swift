import Foundation
import StressHarness
import TestSupport
import Testing

/// `topic log`, with real writers and real crashes.
@Suite(.timeLimit(.minutes(20))) struct LogTests {
  let directory = TemporaryDirectory()
  private var log: String { directory("run/events.jsonl") }

  private func topic(_ words: String..., input: String = "", fault: String = "") throws
    -> TestSupport.Outcome
  {
    try run(
      [Product.topic, "log"] + words, environment: ["POSIX_FAULT": fault], input: Data(input.utf8))
  }

  private func lines() throws -> [String] {
    try String(contentsOfFile: log, encoding: .utf8).split(separator: "\n").map(String.init)
  }

  @Test("Each argument or line of input becomes one line, and a torn last line is ended first")
  func append() throws {
    #expect(try topic("append", log, "{\"a\": 1}", "[1,\n 2]", "\"x\\ny\"").code == 0)
    try bash("printf 'torn{' >>'\(log)'")
    let outcome = try topic("append", "-v", log, input: "{}\n\n 1 \r\ntrue")
    #expect(outcome.code == 0 && outcome.error.contains("3 queued, 3 written, 1 batch, 0 errors"))
    #expect(try lines() == ["{\"a\": 1}", "[1,  2]", "\"x\\ny\"", "torn{", "{}", " 1  ", "true"])
  }

  @Test(
    "Input that is not JSON is an error that names its place, and the events before it are written")
  func invalid() throws {
    let outcome = try topic("append", log, input: "1\n2\n{\"a\":}\n4\n")
    #expect(
      outcome.code == 65 && outcome.error.contains("line 3 is not JSON, at byte 6"),
      "\(outcome.error)")
    #expect(outcome.error.contains("events written: 2"))
    #expect(try lines() == ["1", "2"])
    #expect(try topic("append", "--skip-invalid", log, input: "3\nx\n4\n").code == 0)
    #expect(try lines() == ["1", "2", "3", "4"])
    #expect(try topic("append", log, "5", "nonsense").error.contains("argument 2 is not JSON"))
  }

  @Test(
    "Five writers of 2,000 events each do not lose, repeat or tear any",
    arguments: ["--sync never", "--sync batch --batch 7"])
  func concurrent(options: String) throws {
    let outcome = try bash(
      """
      mkdir run
      for w in 1 2 3 4 5; do
        seq 2000 | sed "s/.*/{\\"w\\": $w, \\"i\\": &, \\"text\\": \\"$(printf '%0200d' 0)\\"}/" |
          topic log append \(options) '\(log)' &
      done; wait
      """, in: directory.path)
    #expect(outcome.code == 0 && outcome.error.isEmpty, "\(outcome.error)")
    let all = try lines()
    #expect(all.count == 10_000 && Set(all).count == 10_000)
    for writer in 1...5 {
      let own = all.filter { $0.hasPrefix("{\"w\": \(writer),") }
      #expect(own.count == 2_000 && own.first?.contains("\"i\": 1,") == true)
      #expect(own.allSatisfy { $0.hasSuffix("\"}") })
    }
  }

  @Test("A writer killed at any call loses at most its own last event, and the next one continues")
  func killed() throws {
    for fault in [
      "open:1", "open:2", "fstat:1", "pread:1", "write:1", "write:2", "write:3", "fsync:1",
      "fsync:2",
    ] {
      _ = try topic("append", log, "1", "2", "3", fault: fault + ":kill")
      #expect(try topic("append", log, "4").code == 0)
      let found = FileManager.default.fileExists(atPath: log) ? try lines() : []
      #expect(
        ["1", "2", "3"].starts(with: found.dropLast()) && found.last == "4", "\(fault): \(found)")
      try run(["rm", "-r", directory("run")])
    }
  }

  @Test(
    "A full disk is an error that says how many events are written, and the next event is whole")
  func full() throws {
    let outcome = try topic("append", log, "1", "2", fault: "write:2:\(ENOSPC)")
    #expect(
      outcome.code == 74
        && outcome.error.contains("No space left on device; events written: at least 1"),
      "\(outcome.error)")
    let counted = try topic("append", "-v", log, "1", fault: "write:1:\(ENOSPC)")
    #expect(counted.error.contains("1 queued, 0 written, 0 batches, 1 error"), "\(counted.error)")
    let short = try topic("append", log, "\"abc\"", fault: "write:1:short")
    #expect(short.code == 0)
    #expect(try lines() == ["1", "\"abc\""])
  }

  @Test(
    "An event waits no longer than --linger, and after SIGTERM all that was read is written",
    arguments: [
      ("echo 1; sleep 0.3; echo 2; printf 3", "0.1", ["1", "2"], 2), ("seq 25", "60", nil, 20),
    ])
  func drains(events: String, linger: String, written: [String]?, early: Int) throws {
    try bash("mkfifo '\(directory("pipe"))'")
    let source = try RunningProcess(
      ["bash", "-c", "exec >'\(directory("pipe"))'; \(events); exec sleep 1000"])
    let writer = try RunningProcess(
      [
        "bash", "-c",
        "exec \(Product.topic) log append --linger \(linger) '\(log)' <'\(directory("pipe"))'",
      ])
    try waitUntil((try? lines())?.count == early)
    usleep(300_000)
    kill(writer.id, SIGTERM)
    #expect(try writer.wait().signal == SIGTERM)
    kill(source.id, SIGKILL)
    _ = try source.wait()
    #expect(try lines() == written ?? (1...25).map(String.init))
  }

  @Test("tail prints the last events and skips lines that are torn, not JSON or not UTF-8")
  func tail() throws {
    #expect(try topic("tail", log).code == 0)
    #expect(try topic("append", log, "1", "2", "3").code == 0)
    try bash("printf 'x\\n\"\\377\"\\n\\n4\\n{\"torn' >>'\(log)'")
    let outcome = try topic("tail", "-v", "-n", "3", log)
    #expect(
      outcome.lines == ["2", "3", "4"] && outcome.error.contains("3 lines skipped"),
      "\(outcome.error)")
    #expect(try topic("tail", "-n", "0", log).lines == [])
    #expect(try topic("tail", log).lines == ["1", "2", "3", "4"])
    let bounded = try topic("tail", "--max-bytes", "12", log)
    #expect(
      bounded.lines == ["4"] && bounded.error.contains("--max-bytes looks further"),
      "\(bounded.error)")
  }

  @Test("tail agrees with reading the whole file, for random files and bounds")
  func tailAgainstWhole() throws {
    var random = SplitMix64(seed: 6)
    try directory.makeDirectories("run")
    for round in 0..<60 {
      var text = Data()
      for _ in 0..<Int.random(in: 0...400, using: &random) {
        switch Int.random(in: 0...5, using: &random) {
        case 0:
          text += Data(
            (0..<Int.random(in: 0...40, using: &random)).map { _ in
              .random(in: 0...255, using: &random)
            })
        case 1:
          text += Data(
            "{\"long\": \"\(String(repeating: "x", count: .random(in: 0...30_000, using: &random)))\"}\n"
              .utf8)
        default: text += Data("{\"i\": \(Int.random(in: 0...9999, using: &random))}\n".utf8)
        }
      }
      var whole = text.split(separator: 10, omittingEmptySubsequences: false).dropLast().filter {
        String(data: Data($0), encoding: .utf8) != nil
          && (try? JSONSerialization.jsonObject(with: Data($0), options: .fragmentsAllowed)) != nil
      }.map { String(decoding: $0, as: UTF8.self) }
      if text.last == 10, Bool.random(using: &random) {
        let last = ["{\"end\": 1}", "\"end\"", "12", "{\"end"].randomElement(using: &random) ?? ""
        if !["12", "{\"end"].contains(last) { whole.append(last) }
        text += Data(last.utf8)
      }
      try text.write(to: URL(fileURLWithPath: log))
      let count = Int.random(in: 1...30, using: &random)
      let outcome = try topic("tail", "-n", "\(count)", "--max-bytes", "1G", log)
      #expect(outcome.lines.elementsEqual(whole.suffix(count)), "round \(round)")
    }
  }

  @Test(
    "An event that follows half a line of a killed writer is written again",
    .enabled(if: Product.hasProgram("strace")))
  func glued() throws {
    let outcome = try bash(
      """
      echo 0 >log
      strace -o /dev/null -e trace=write -e inject=write:delay_enter=800000 \
        topic log append log '{"a":1}' '{"b":2}' --sync batch & writer=$!
      sleep 0.4; printf '{"torn' >>log; wait $writer
      cat log; topic log tail -n 9 log | tr '\\n' ' '
      """, in: directory.path)
    #expect(
      outcome.lines == [
        "0", "{\"torn{\"a\":1}", "{\"b\":2}", "{\"a\":1}", "0 {\"b\":2} {\"a\":1} ",
      ],
      "\(outcome.text)\(outcome.error)")
  }

  @Test("An empty argument is not an event, and a directory that cannot be created is an error")
  func impossible() throws {
    let empty = try topic("append", log, "")
    #expect(empty.code == 65 && empty.error.contains("argument 1 is not JSON"), "\(empty.error)")
    let outcome = try bash(
      """
      mkdir d; cd d; rmdir ../d
      topic log append x/y 1 || echo $?
      topic checkpoint save sub --status s || echo $?
      topic metrics append /proc/none/m a=1 || echo $?
      """, in: directory.path)
    #expect(outcome.lines == ["73", "66", "73"], "\(outcome.text)\(outcome.error)")
  }

  @Test("A writer of standard input continues in the new file after a rotation")
  func appendThroughRotation() throws {
    let outcome = try bash(
      """
      { echo 1; sleep 0.3; mv log log.1; echo 2; } | topic log append --linger 0.05 log
      cat log.1 log
      """, in: directory.path)
    #expect(outcome.lines == ["1", "2"], "\(outcome.error)")
    #expect(directory.entries().sorted() == ["log", "log.1"])
  }

  @Test("A last line without its newline counts if nothing else can be missing")
  func unended() throws {
    try directory.makeDirectories("run")
    for (last, isEvent) in [
      (#"{"a": 1}"#, true), ("true", true), ("\"x\"", true), ("[1]", true), ("12 ", true),
      ("12", false), ("-1.5e3", false), ("tru", false), ("{\"a\":", false), (" ", false),
    ] {
      try directory.makeFile("run/events.jsonl", "1\n" + last)
      let outcome = try topic("tail", "-v", log)
      #expect(outcome.lines == (isEvent ? ["1", last] : ["1"]), "\(last)")
      #expect(
        outcome.error.contains(isEvent ? "0 lines skipped" : "1 line skipped"), "\(outcome.error)")
    }
    try directory.makeFile("run/events.jsonl", "1\n[2]")
    #expect(try topic("tail", "-n", "1", log).lines == ["[2]"])
    #expect(try topic("tail", "-n", "0", log).lines == [])
    #expect(try topic("tail", "--max-bytes", "2", log).lines == [])
  }

  @Test(
    "--follow prints an incomplete last line once, when it is complete",
    arguments: [("12", "34", ["0", "1234"]), ("[1]", "", ["[1]"]), ("[1", "]", ["0", "[1]"])])
  func followsCutLine(start: String, end: String, shown: [String]) throws {
    for bound in ["1MiB", "1"] {
      try directory.makeDirectories("run")
      try directory.makeFile("run/events.jsonl", "0\n" + start)
      let out = directory("out")
      let follower = try RunningProcess([
        "bash", "-c",
        "exec \(Product.topic) log tail -n 1 --max-bytes \(bound) --follow '\(log)' >'\(out)'",
      ])
      usleep(300_000)
      try bash("printf '%s\n\"end\"\n' '\(end)' >>'\(log)'")
      func lines() throws -> [String] {
        try String(contentsOfFile: out, encoding: .utf8).split(separator: "\n").map(String.init)
      }
      try waitUntil(lines().last == "\"end\"")
      kill(follower.id, SIGTERM)
      _ = try follower.wait()
      // --max-bytes limits the events before; the last line is followed from its beginning.
      let seen = bound == "1" ? shown.filter { $0 != "0" } : shown
      #expect(try lines() == seen + ["\"end\""], "--max-bytes \(bound)")
    }
  }

  @Test("A byte order mark is neither stored nor printed")
  func byteOrderMark() throws {
    let mark = "\u{FEFF}"
    #expect(try topic("append", log, input: mark + "{\"a\":1}\n2\n").code == 0)
    #expect(try topic("append", log, mark + "3").code == 0)
    #expect(try topic("append", log, input: mark + "\n").code == 0)
    #expect(try String(contentsOfFile: log, encoding: .utf8) == "{\"a\":1}\n2\n3\n")
    try directory.makeFile("run/events.jsonl", mark + "{\"a\":1}\n")
    #expect(try topic("tail", log).text == "{\"a\":1}\n")
  }

  @Test("Events read before an error of standard input are written")
  func inputFails() throws {
    let outcome = try topic("append", "-v", log, input: "1\n2\n", fault: "read:2:\(EIO)")
    #expect(outcome.code == 74 && outcome.error.contains("standard input"), "\(outcome.error)")
    #expect(try lines() == ["1", "2"])
  }

  @Test("A line of more than 16 MiB is an error, or skipped, and the next one is read")
  func longLine() throws {
    let script = """
      lines() { echo 1; head -c 17000000 /dev/zero | tr '\\0' 0; echo; echo 2; }
      lines | topic log append log; echo $?
      lines | topic log append -v --skip-invalid log; cat log
      """
    let outcome = try bash(script, in: directory.path)
    #expect(outcome.lines == ["65", "1", "1", "2"], "\(outcome.error)")
    #expect(outcome.error.contains("line 2 is longer than 16 MiB; events written: 1"))
    #expect(outcome.error.contains("2 queued, 2 written") && outcome.error.contains(", 1 error\n"))
  }

  @Test("Memory is bounded, however many values a line holds and however long it is")
  func memory() throws {
    let outcome = try bash(
      """
      ulimit -v 100000
      { printf '['; yes '[{}],' | head -c 3000000 | tr -d '\\n'; echo 1]; } | topic log append log
      topic log tail --max-bytes 4M log | cmp - log
      head -c 150000000 /dev/zero | tr '\\0' x >>log
      topic log tail -v -n 1 --max-bytes 1G log | cmp - <(head -n 1 log)
      (topic log tail -n 0 --follow log & sleep 0.5; printf '\\n2\\n' >>log; sleep 0.5; kill $!)
      head -c 150000000 /dev/zero | topic log append log 2>&1 | head -n 1; echo "${PIPESTATUS[1]}"
      """, in: directory.path)
    #expect(
      outcome.lines == ["2", "topic: line 1 is longer than 16 MiB; events written: 0", "65"],
      "\(outcome.text)\(outcome.error)")
    #expect(outcome.error == "topic: 1 line skipped\n")
  }

  @Test(
    "A line that another process never ends delays an event by a second",
    .timeLimit(.minutes(20)))
  func endlessLine() throws {
    let writer = try RunningProcess(
      ["bash", "-c", "echo 0 >log; while :; do printf xxxxxxxxxxxxxxxx; done >>log"],
      in: directory.path)
    defer {
      kill(writer.id, SIGKILL)
      _ = try? writer.wait()
    }
    while !directory.entries().contains("log") { usleep(10_000) }
    // If the other process does not write for a moment, its line counts as torn at once.
    while true {
      let outcome = try topic("append", "-v", directory("log"), "{\"a\": 1}")
      #expect(outcome.code == 0)
      if outcome.error.contains("ended 1 line that another process was still writing") { break }
    }
    #expect(
      try topic("tail", "-n", "1", "--max-bytes", "1G", directory("log")).text == "{\"a\": 1}\n")
  }

  @Test(
    "A log that cannot be reached is an error, not an empty log",
    .enabled(if: getuid() == 0 && Product.hasProgram("setpriv")))
  func unreadable() throws {
    #expect(try topic("append", log, "1").code == 0)
    try run(["chmod", "755", directory.path])
    try run(["chmod", "700", directory("run")])
    let nobody = ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups"]
    let outcome = try run(nobody + [Product.topic, "log", "tail", log])
    #expect(outcome.code == 77 && outcome.error.contains("Permission denied"))
  }

  @Test("--follow survives rotation and truncation, and a log that appears late")
  func follow() throws {
    let out = directory("out")
    let follower = try RunningProcess(
      ["bash", "-c", "exec \(Product.topic) log tail --follow '\(log)' >'\(out)'"])
    func expect(_ numbers: [String]) throws {
      let text = numbers.map { $0 + "\n" }.joined()
      try waitUntil((try? String(contentsOfFile: out, encoding: .utf8)) == text)
    }
    _ = try topic("append", log, "1")
    try expect(["1"])
    try bash("printf 2 >>'\(log)'; mv '\(log)' '\(log).1'; echo >>'\(log).1'")
    _ = try topic("append", log, "3")
    try expect(["1", "2", "3"])
    try bash(": >'\(log)'")
    usleep(200_000)
    _ = try topic("append", log, "4")
    try expect(["1", "2", "3", "4"])
    // A writer that has the old file open still writes to it.
    try bash("exec 3>>'\(log)'; mv '\(log)' '\(log).2'; echo 5 >>'\(log)'; sleep 0.5; echo 6 >&3")
    try expect(["1", "2", "3", "4", "5", "6"])
    kill(follower.id, SIGTERM)
    #expect(try follower.wait().signal == SIGTERM)
  }
}
