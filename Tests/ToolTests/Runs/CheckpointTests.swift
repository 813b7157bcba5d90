import Foundation
import TestSupport
import Testing

/// `topic checkpoint`, with real writers and real crashes.
@Suite(.timeLimit(.minutes(20))) struct CheckpointTests {
  let directory = TemporaryDirectory()
  private var run: String { directory("specs/001_a") }
  private var file: String { run + "/checkpoint.json" }

  init() throws { try directory.makeDirectories("specs/001_a") }

  private func topic(_ words: [String], input: String = "", fault: String = "") throws -> Outcome {
    try TestSupport.run(
      [Product.topic, "checkpoint"] + words, environment: ["POSIX_FAULT": fault],
      input: Data(input.utf8))
  }

  private func load() throws -> [String: Any] {
    let outcome = try topic(["load", run])
    let object = try JSONSerialization.jsonObject(with: outcome.output) as? [String: Any]
    return try #require(object, "\(outcome.error)")
  }

  @Test("save changes the given members, keeps the others, and keeps the spelling of numbers")
  func save() throws {
    #expect(try topic(["load", run]).code == 1)
    let first = try topic([
      "save", run, "--iteration", "1", "--status", "needs_changes", "--feedback", "a", "--feedback",
      "b",
      "--file-written", "x.md", "--cost", "0.10", "--set", "plan={\"n\": 1e2}",
    ])
    #expect(first.code == 0, "\(first.error)")
    let id = try load()["run_id"] as? String
    #expect(try topic(["save", run, "--iteration", "2", "--feedback", "c"]).code == 0)
    let state = try load()
    #expect(state["iteration"] as? Int == 2 && state["status"] as? String == "needs_changes")
    #expect(
      state["feedback"] as? [String] == ["c"] && state["files_written"] as? [String] == ["x.md"])
    #expect(state["run_id"] as? String == id && state["version"] as? Int == 1)
    let text = try String(contentsOfFile: file, encoding: .utf8)
    #expect(text.contains("\"cost_usd\": 0.10,") && text.contains("\"n\": 1e2"))
    #expect(try topic(["save", run], input: "{\"whole\": true, \"version\": 9}").code == 0)
    #expect(try load().keys.sorted() == ["run_id", "saved_at", "version", "whole"])
    #expect(try topic(["list", directory("specs")]).text.hasPrefix("001_a\t-\t-\t20"))
    #expect(try topic(["clear", run]).code == 0)
    #expect(try topic(["load", run]).code == 1)
    #expect(directory.entries("specs/001_a").isEmpty)
  }

  @Test(
    "Wrong usage is refused, and nothing is changed",
    arguments: [
      (["--cost", "-1"], 64), (["--cost", "1e999"], 64), (["--set", "x"], 64),
      (["--set", "x=y"], 65),
      (["--set", "version=2"], 64), (["--iteration", "x"], 64), ([], 65),
    ])
  func refused(words: [String], code: Int) throws {
    let outcome = try topic(["save", run] + words, input: "[1]")
    #expect(outcome.code == Int32(code), "\(outcome.error)")
    #expect(!FileManager.default.fileExists(atPath: file))
  }

  @Test(
    "The previous file replaces a damaged one, with a warning; two damaged files are an error")
  func damaged() throws {
    for iteration in 1...3 {
      #expect(try topic(["save", run, "--iteration", "\(iteration)"]).code == 0)
    }
    for damage in ["", "{", "null", "{\"iteration\": 9", "\0\0\0\0"] {
      try Data(damage.utf8).write(to: URL(fileURLWithPath: file))
      let outcome = try topic(["load", run])
      #expect(outcome.text.contains("\"iteration\": 2") && outcome.error.contains("is damaged"))
    }
    // The next save continues from the previous file, and the damaged one does not replace it.
    #expect(try topic(["save", run, "--status", "s"]).error.contains("is damaged"))
    #expect(try load()["iteration"] as? Int == 2)
    try bash("echo x | tee '\(file)' '\(run)/checkpoint.previous.json'")
    let outcome = try topic(["load", run])
    #expect(
      outcome.code == 65 && outcome.error.contains("topic checkpoint clear"), "\(outcome.error)")
  }

  @Test("A save killed at any call leaves the old or the new state, and the next save cleans up")
  func killed() throws {
    let trace = directory("trace")
    #expect(try topic(["save", run, "--iteration", "1"]).code == 0)
    _ = try TestSupport.run(
      [Product.topic, "checkpoint", "save", run, "--iteration", "2"],
      environment: ["POSIX_TRACE": trace])
    var counts: [String: Int] = [:]
    let names = try String(contentsOfFile: trace, encoding: .utf8).split(separator: "\n")
      .compactMap { $0.split(separator: " ").first.map(String.init) }
    #expect(names.contains("renameat") && names.contains("fsync"))
    for name in names {
      counts[name, default: 0] += 1
      let before = try load()["iteration"] as? Int ?? -1
      let outcome = try topic(
        ["save", run, "--iteration", "\(before + 1)"], fault: "\(name):\(counts[name] ?? 0):kill")
      #expect(outcome.signal == SIGKILL, "\(name)")
      let after = try load()["iteration"] as? Int
      #expect(after == before || after == before + 1, "\(name) \(counts[name] ?? 0)")
      #expect(try topic(["save", run, "--status", "x"]).code == 0)
      let all = try FileManager.default.contentsOfDirectory(atPath: run)
      #expect(all.sorted() == ["checkpoint.json", "checkpoint.previous.json"], "\(all)")
    }
  }

  @Test("A failing call leaves the old state whole and no temporary file")
  func failing() throws {
    #expect(try topic(["save", run, "--iteration", "1"]).code == 0)
    for fault in [
      "linkat:1", "creat:1", "write:1", "fsync:1", "renameat:1", "renameat:2", "flock:1",
    ] {
      let outcome = try topic(["save", run, "--iteration", "2"], fault: "\(fault):\(ENOSPC)")
      #expect(
        [73, 74].contains(outcome.code) && outcome.error.contains("No space left"), "\(fault)")
      #expect(try load()["iteration"] as? Int == 1, "\(fault)")
      let all = try FileManager.default.contentsOfDirectory(atPath: run)
      #expect(!all.contains { $0.hasSuffix(".tmp") }, "\(fault): \(all)")
    }
  }

  @Test("Ten processes that save different members at once lose none")
  func concurrent() throws {
    let outcome = try bash(
      """
      for i in 1 2 3 4 5 6 7 8 9 10; do
        for j in 1 2 3 4 5; do topic checkpoint save '\(run)' --set "k$i.$j=$i"; done &
      done; wait
      """)
    #expect(outcome.code == 0 && outcome.error.isEmpty, "\(outcome.error)")
    #expect(try load().keys.filter { $0.hasPrefix("k") }.count == 50)
  }

  @Test(
    "A file that is not a checkpoint is passed over, but a newer version is an error"
  )
  func strangers() throws {
    let outcome = try bash(
      """
      mkdir r; topic checkpoint save r --iteration 1; topic checkpoint save r --iteration 2
      for text in '{}' '{"version":1}' '{"version":"a","run_id":"x"}'; do
        printf '%s' "$text" >r/checkpoint.json
        topic checkpoint load r 2>warning | jq -c .iteration; grep -c damaged warning
      done
      topic checkpoint save r --iteration 3 2>/dev/null; chmod 600 r/checkpoint.json
      topic checkpoint save r --iteration 4; stat -c %a r/checkpoint.json
      printf '{"version":2,"run_id":"x"}' >r/checkpoint.json
      topic checkpoint save r --iteration 5 || echo "code $?"
      topic checkpoint load r || echo "code $?"
      """, in: directory.path)
    #expect(
      outcome.lines == ["1", "1", "1", "1", "1", "1", "600", "code 65", "code 65"],
      "\(outcome.text)\(outcome.error)")
    #expect(outcome.error.contains("newer than this program"))
  }

  @Test("An object from standard input does not reset the round counter")
  func keepsRetry() throws {
    let outcome = try bash(
      """
      mkdir r n
      round() { topic retry check --status needs_changes --feedback same "$1" >/dev/null; echo $?; }
      round r
      echo '{"status": "x", "retry": {"rounds": 0, "identical": 0, "status": "approved"}}' |
        topic checkpoint save r
      echo '{"status": "y"}' | topic checkpoint save r
      round r
      topic checkpoint load r | jq -c '[.status, .retry.rounds]'
      topic checkpoint load r | topic checkpoint save n
      round n
      """, in: directory.path)
    #expect(outcome.lines == ["0", "10", #"["y",2]"#, "10"], "\(outcome.text)\(outcome.error)")
  }

  @Test(
    "list prints what it can read, reports the rest, and exits with the status of the first failure"
  )
  func listing() throws {
    let outcome = try bash(
      """
      mkdir specs; cd specs
      touch 001_file; ln -s nowhere 002_dangling; mkfifo 003_pipe; mkdir 004_none 005_bad 006_odd
      mkdir 007_good
      topic checkpoint save 007_good --status fine
      topic checkpoint list . | cut -f 1,3
      echo x >005_bad/checkpoint.json; mkdir 006_odd/checkpoint.json
      topic checkpoint list . >out; echo $?; cut -f 1,3 out
      rm 005_bad/checkpoint.json; topic checkpoint list . 2>/dev/null >out; echo $?; cut -f 1,3 out
      """, in: directory.path)
    #expect(
      outcome.lines == ["007_good\tfine", "65", "007_good\tfine", "74", "007_good\tfine"],
      "\(outcome.text)\(outcome.error)")
    #expect(outcome.error.contains("005_bad/checkpoint.json' is not a checkpoint"))
    #expect(outcome.error.contains("006_odd/checkpoint.json"), "\(outcome.error)")
    #expect(outcome.error.contains("hint: restore it"))
  }

  @Test("A byte order mark is ignored and not printed")
  func byteOrderMark() throws {
    try directory.makeDirectories("specs/001_a")
    #expect(try topic(["save", run], input: "\u{FEFF}{\"a\": 1}").code == 0)
    let text = try String(contentsOfFile: file, encoding: .utf8)
    try Data(("\u{FEFF}" + text).utf8).write(to: URL(fileURLWithPath: file))
    let outcome = try topic(["load", run])
    #expect(outcome.text == text && outcome.error.isEmpty, "\(outcome.error)")
    #expect(try load()["a"] as? Int == 1)
  }

  @Test(
    "A save synchronizes the new file and its directory, and nothing else",
    .enabled(if: Product.hasProgram("strace"), "strace is missing"))
  func synchronizations() throws {
    #expect(try topic(["save", run, "--iteration", "1"]).code == 0)
    let outcome = try TestSupport.run(
      ["strace", "-y", "-o", directory("trace"), "-e", "trace=fsync", Product.topic, "checkpoint"]
        + ["save", run, "--iteration", "2"])
    #expect(outcome.code == 0, "\(outcome.error)")
    let calls = try String(contentsOfFile: directory("trace"), encoding: .utf8)
      .split(separator: "\n").filter { $0.hasPrefix("fsync(") }
    #expect(calls.count == 2 && calls.last?.contains("/001_a>") == true, "\(calls)")
  }

  @Test(
    "Without hard links, the previous checkpoint is a copy",
    arguments: [EPERM, EOPNOTSUPP, EMLINK])
  func withoutLinks(number: Int32) throws {
    #expect(try topic(["save", run, "--iteration", "1"]).code == 0)
    let save = try topic(["save", run, "--iteration", "2"], fault: "linkat:1:\(number)")
    #expect(save.code == 0, "\(save.error)")
    let previous = try String(contentsOfFile: run + "/checkpoint.previous.json", encoding: .utf8)
    #expect(previous.contains("\"iteration\": 1"))
    #expect(try load()["iteration"] as? Int == 2)
  }
}
