import Foundation
import JSON
import POSIX
import TestSupport
import Testing

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#elseif canImport(Darwin)
  import Darwin
#endif

/// The program itself, with real processes.
@Suite(.serialized, .timeLimit(.minutes(20))) struct RunTests {
  let directory = TemporaryDirectory()
  private static let locked = "'\(Product.sources)/stress/allocators/locked.sh' {root} {name}"
  private static let unlocked = "'\(Product.sources)/stress/allocators/unlocked.sh' {root} {name}"

  init() throws {
    try directory.makeDirectories("tmp")
  }

  private var environment: [String: String] { ["TMPDIR": directory("tmp")] }

  @discardableResult
  private func stress(_ words: String..., variables: [String: String] = [:]) throws -> Outcome {
    try run(
      [Product.topicStress, "--run-dir", directory("runs")] + words,
      environment: environment.merging(variables) { _, given in given },
      // Where what it starts has the same plan, the harness itself may come later.
      mayMiss: true)
  }

  private func json(_ outcome: Outcome) throws -> JSONValue {
    try JSONValue(parsing: Bytes(outcome.output))
  }

  private func read(_ name: String, of run: String) throws -> JSONValue {
    let text = try Data(contentsOf: URL(fileURLWithPath: directory("runs/\(run)/\(name)")))
    return try JSONValue(parsing: Bytes(text))
  }

  private var runs: [String] { directory.entries("runs").filter { $0 != "metrics.jsonl" } }

  /// How many iterations the first run has behind it.
  private var iterations: Int {
    runs.first.flatMap { try? read("checkpoint.json", of: $0)["iterations"]?.integer } ?? 0
  }

  private func lines(_ name: String) throws -> [JSONValue] {
    try String(contentsOfFile: directory("runs/\(name)"), encoding: .utf8)
      .split(separator: "\n").map { try JSONValue(parsing: Bytes(String($0))) }
  }

  // MARK: Allocators

  @Test("The default allocator passes, and the report says so; nothing is on standard error")
  func plain() throws {
    let outcome = try stress("-n", "20")
    #expect(outcome.code == 0 && outcome.error.isEmpty, "\(outcome.text)\(outcome.error)")
    #expect(outcome.lines.first == "Collision rate: 0/200 (0%)")
    #expect(!outcome.text.contains("FAILED") && outcome.text.contains("Throughput"))
    #expect(outcome.text.contains("ok      no two held the lock at once"))
    #expect(directory.entries("tmp").isEmpty)
  }

  @Test("An allocator without a lock is found out, every time", arguments: 1...5)
  func unlocked(seed: Int) throws {
    let outcome = try stress("-n", "10", "--seed", "\(seed)", "--allocator", Self.unlocked)
    #expect(outcome.code == 1)
    #expect(outcome.text.contains("FAILED  no number twice"))
    #expect(outcome.text.contains("Repeat with: topic-stress --iterations 10 --processes 10"))
    #expect(outcome.text.contains("--seed \(seed)"))
    #expect(!outcome.text.contains("Collision rate: 0/"))
  }

  @Test("The old protocol passes, alone and mixed in")
  func locked() throws {
    #expect(try stress("-n", "5", "--allocator", Self.locked).code == 0)
    let mixed = try stress("-n", "10", "--mix", Self.locked)
    #expect(mixed.code == 0, "\(mixed.text)")
  }

  @Test(
    "Allocators that answer wrongly get a verdict of their own",
    arguments: [
      ("sh -c 'echo nonsense' {root} {name}", "printed no number, path or JSON"),
      ("sh -c : {root} {name}", "printed nothing"),
      ("sh -c 'sleep 1234' {root} {name}", "did not end and was killed"),
      ("sh -c 'echo 1; sleep 1234 & exit' {root} {name}", "stayed behind and was killed"),
      ("sh -c 'echo 1; setsid sleep 1234 & exit' {root} {name}", "stayed behind and was killed"),
      ("sh -c 'kill -SEGV $$' {root} {name}", "was ended by signal 11"),
      ("sh -c 'exit 3' {root} {name}", "failed with code 3"),
      ("yes {root} {name}", "printed without end and was killed"),
      ("sh -c 'mkdir \"$1/001_$2\"; echo /else/001_$2' sh {root} {name}", "which is not there"),
      ("sh -c 'echo 7' {root} {name}", "reported number 7, which is not there"),
      ("sh -c 'mkdir \"$1/7_$2\"; exit 3' sh {root} {name}", "failed with code 3"),
    ])
  func wrong(command: String, verdict: String) throws {
    // In single quotes, $$ and "$1" are the shell's that is called.
    let outcome = try stress("-n", "3", "-p", "3", "--timeout", "1", "--allocator", command)
    #expect(outcome.code == 1)
    #expect(outcome.text.contains(verdict), "\(outcome.text)")
    #expect(runningCommands(containing: "sleep 1234 ").isEmpty)
    #expect(directory.entries("tmp").isEmpty)
  }

  @Test(
    "What cannot be run is refused before anything is made",
    arguments: [
      (["--allocator", "no-such-program {root} {name}"], "'no-such-program' does not exist"),
      (["--mix", "sh {root}"], "has no {name}"), (["--chaos", "kil"], "did you mean 'kill'?"),
      (["--iterations", "many"], "--iterations takes a number"),
      (["--minutes", "0"], "takes minutes"),
      (["--root", "/x", "--chaos", "full"], "without --root"), (["operand"], "options only"),
      (["--fail-below", "x"], "takes a share"), (["--seed", "-1"], "--seed takes a number"),
    ] as [([String], String)])
  func refused(words: [String], message: String) throws {
    let outcome = try run(
      [Product.topicStress, "-d", directory("runs")] + words, environment: environment)
    #expect(outcome.code == 64, "\(outcome.error)")
    #expect(outcome.error.contains(message), "\(outcome.error)")
    #expect(outcome.output.isEmpty && directory.entries() == ["tmp"])
  }

  // MARK: Chaos

  @Test(
    "Under every kind of chaos, no assertion fails",
    arguments: [
      "kill", "pause", "lockfile", "foreign", "nofile", "kill,pause,lockfile,foreign,nofile",
    ])
  func chaos(kinds: String) throws {
    let outcome = try stress("-n", "30", "--chaos", kinds)
    #expect(outcome.code == 0, "\(outcome.text)\(outcome.error)")
  }

  @Test(
    "Killed at every system call, it leaves nothing that an assertion finds",
    .enabled(if: Product.hasProgram("strace")))
  func crashMatrix() throws {
    let outcome = try stress("--chaos", "syscall-kill", "-p", "4", "--format", "json")
    #expect(outcome.code == 0, "\(outcome.text)\(outcome.error)")
    let report = try json(outcome)
    let iterations = try #require(report["iterations"]?.integer)
    let killed = try #require(report["killed"]?.integer)
    #expect(iterations > 30 && killed > iterations * 3 / 4)
  }

  @Test("On a disk that runs full, those that find no room fail and leave nothing")
  func full() throws {
    let outcome = try stress("-n", "30", "--chaos", "full", "--format", "json")
    // Where nothing may be mounted, that is what it says.
    if outcome.code == 77 {
      #expect(outcome.error.contains("cannot mount a small file system"))
      return
    }
    #expect(outcome.code == 0, "\(outcome.text)\(outcome.error)")
    let report = try json(outcome)
    #expect((report["refused"]?.integer ?? 0) > 0 && (report["acknowledged"]?.integer ?? 0) > 0)
    #expect(directory.entries("tmp").isEmpty)
  }

  @Test("A violation that chaos brings out is found: an allocator whose lock file alone protects")
  func brokenByChaos() throws {
    let script = """
      exec 9>>"$1/.topic_number.lock"; flock 9; n=$(ls "$1" | sort -n | tail -n 1); n=${n%%_*}
      n=$(printf %03d $((10#${n:-0} + 1))); mkdir "$1/${n}_$2" && echo "$n"
      """
    try directory.makeFile("alloc.sh", script)
    let command = "bash \(directory("alloc.sh")) {root} {name}"
    #expect(try stress("-n", "10", "--allocator", command).code == 0)
    // Only with many rounds is the moment sure to be met.
    let outcome = try stress("-n", "200", "--chaos", "lockfile", "--allocator", command)
    #expect(outcome.code == 1 && outcome.text.contains("FAILED"), "\(outcome.text)")
  }

  // MARK: What a run leaves

  // MARK: Scopes

  @Test(
    "Work trees and clones share numbers, by path and by a daemon, killed and slow as they are",
    .enabled(if: Product.hasProgram("git")),
    arguments: [
      "--scope worktrees --chaos kill", "--scope remote --chaos kill,slow",
      "--scope remote --serve --chaos daemon",
    ])
  func scopes(options: String) throws {
    let words = options.split(separator: " ").map(String.init)
    let outcome = try run(
      [Product.topicStress, "--run-dir", directory("runs"), "-n", "4", "-p", "6", "--clones", "3"]
        + words + ["--judge-every", "2"], environment: environment)
    #expect(outcome.code == 0, "\(outcome.text)\(outcome.error)")
    #expect(outcome.text.contains("ok      what was acknowledged is in the ledger"))
    #expect(!outcome.text.contains("no gap"))
    #expect(directory.entries("tmp").isEmpty)
  }

  @Test(
    "Allocators that number each clone alone are found out, as are those that reserve nothing",
    .enabled(if: Product.hasProgram("git")))
  func withoutLedger() throws {
    let outcome = try stress(
      "-n", "1", "-p", "4", "--clones", "2", "--scope", "remote", "--allocator",
      "\(Product.topicAlloc) -f path {root} {name}")
    #expect(outcome.code == 1, "\(outcome.text)\(outcome.error)")
    #expect(outcome.text.contains("FAILED  no number twice: 2"))
    #expect(outcome.text.contains("FAILED  what was acknowledged is in the ledger: 4"))
    let refused = try stress("--scope", "worktrees", "--chaos", "pause")
    #expect(refused.code == 64 && refused.error.contains("does not go with this scope"))
  }

  @Test("A run leaves history, manifest, checkpoint, report and a line of metrics")
  func record() throws {
    let page = directory("page.html")
    let outcome = try stress(
      "-n", "5", "-p", "4", "--seed", "7", "--format", "json", "--report", page)
    let report = try json(outcome)
    let run = try #require(report["run"]?.string)
    #expect(runs == [run])
    let history = try lines("\(run)/history.jsonl")
    #expect(history.count == 20 && history.allSatisfy { $0["exit"]?.integer == 0 })
    #expect(Set(history.compactMap { $0["number"]?.integer }) == Set(1...20))
    let manifest = try read("manifest.json", of: run)
    #expect(manifest["verdict"]?.string == "passed" && manifest["seed"]?.integer == 7)
    #expect(manifest["kernel"]?.string?.isEmpty == false && manifest["file_system"] != nil)
    #expect(try read("checkpoint.json", of: run)["iterations"]?.integer == 5)
    let metrics = try #require(try lines("metrics.jsonl").first)
    #expect(metrics["run"]?.string == run && metrics["status"]?.string == "passed")
    let html = try String(contentsOfFile: page, encoding: .utf8)
    #expect(
      try html == String(contentsOfFile: directory("runs/\(run)/report.html"), encoding: .utf8))
    #expect(html.hasPrefix("<!DOCTYPE html>") && html.contains("<svg"))
    for external in ["http:", "https:", "src=", "@import", "url("] {
      #expect(!html.contains(external))
    }
  }

  @Test("Runs at the same moment have directories and lines of their own")
  func together() throws {
    let started = try (0..<4).map { _ in
      try RunningProcess(
        [Product.topicStress, "-d", directory("runs"), "-n", "3", "-p", "2"],
        environment: environment)
    }
    for process in started { #expect(try process.wait().code == 0) }
    #expect(runs.count == 4)
    #expect(Set(try lines("metrics.jsonl").compactMap { $0["run"]?.string }) == Set(runs))
  }

  @Test("A run in a root that has topics goes on from them, and leaves its own")
  func ownRoot() throws {
    try directory.makeDirectories("specs/041_old")
    let outcome = try stress(
      "-n", "4", "-p", "3", "--root", directory("specs"), "--judge-every", "2")
    #expect(outcome.code == 0, "\(outcome.text)")
    #expect(directory.entries("specs").compactMap { Int($0.prefix(3)) } == Array(41...53))
    #expect(
      try stress("-n", "4", "-p", "3", "--root", directory("specs"), "--chaos", "foreign").code == 0
    )
    #expect(directory.entries("specs").compactMap { Int($0.prefix(3)) } == Array(41...65))
  }

  @Test("Ctrl-C stops the children, judges what ran, and leaves no process and no directory")
  func interrupted() throws {
    let process = try RunningProcess(
      [Product.topicStress, "-d", directory("runs"), "-n", "unlimited", "--chaos", "kill"],
      environment: environment)
    try waitUntil(iterations >= 3)
    kill(process.id, SIGINT)
    let outcome = try process.wait()
    #expect(outcome.signal == SIGINT)
    #expect(
      outcome.text.contains("Collision rate: 0/") && outcome.text.contains("Interrupted after"))
    #expect(outcome.text.contains("Go on with: topic-stress --resume"))
    #expect(directory.entries("tmp").isEmpty)
    #expect(runningCommands(containing: directory.path).isEmpty)
    #expect(try read("manifest.json", of: runs[0])["verdict"]?.string == "interrupted")
    let done = try #require(try read("checkpoint.json", of: runs[0])["iterations"]?.integer)
    #expect(outcome.text.contains("after \(done) iterations"))
  }

  @Test("A long answer counts by its last line, and a run of no time has one iteration")
  func longAnswer() throws {
    let script = """
      exec 9>>"$1/.topic_number.lock"; flock 9; seq 20000 >&2; seq -f 'line %g' 20000
      n=$(ls "$1" | wc -l); mkdir "$1/00$((n + 1))_$2"; echo "00$((n + 1))"
      """
    try directory.makeFile("alloc.sh", script)
    let outcome = try stress(
      "-m", "0.00001", "-p", "3", "--allocator", "bash \(directory("alloc.sh")) {root} {name}")
    #expect(
      outcome.code == 0 && outcome.lines.first == "Collision rate: 0/3 (0%)", "\(outcome.text)")
  }

  @Test("A run that is at work cannot be resumed by another process")
  func resumedTwice() throws {
    let process = try RunningProcess(
      [Product.topicStress, "-d", directory("runs"), "-n", "unlimited"], environment: environment)
    try waitUntil(
      FileManager.default.fileExists(
        atPath: directory("runs/\(runs.first ?? "")/checkpoint.json")))
    let outcome = try stress("--resume", runs[0])
    #expect(
      outcome.code == 75 && outcome.error.contains("at work already, by process \(process.id)"))
    kill(process.id, SIGTERM)
    #expect(try process.wait().signal == SIGTERM)
  }

  @Test("A signal that is ignored does not end a run, and a child that it found is left alone")
  func ignoredSignal() throws {
    let outcome = try bash(
      """
      trap '' HUP
      sleep 5 & sleeper=$!
      (sleep 0.3; kill -HUP $$) &
      bash -c 'exec topic-stress --run-dir "$1" --minutes 0.02' bash '\(directory("runs"))' &
      stress=$!; sleep 0.3; kill -HUP $stress; wait $stress; echo "code $?"
      kill $sleeper && echo alive
      """, environment: environment)
    #expect(
      outcome.text.contains("code 0\nalive") && !outcome.text.contains("Interrupted"),
      "\(outcome.text)")
    let inherited = try bash(
      "bash -c 'sleep 5 & exec topic-stress --run-dir \"$1\" -n 2' bash '\(directory("runs"))'; pkill -P $$ sleep; true",
      environment: environment)
    #expect(!inherited.text.contains("FAILED"), "\(inherited.text)")
  }

  @Test(
    "A history that is shorter than its checkpoint says is refused; a run that is complete stays one line"
  )
  func lostHistory() throws {
    #expect(try stress("-n", "4", "-p", "2").code == 0)
    let run = try #require(runs.first)
    #expect(try stress("--resume", run).code == 0)
    #expect(try lines("metrics.jsonl").count == 1)
    try directory.makeFile("runs/\(run)/history.jsonl", "garbage\n")
    let outcome = try stress("--resume", run)
    #expect(outcome.code == 65 && outcome.error.contains("its history has 0 calls, not 4 times 2"))
    #expect(directory.entries("tmp").isEmpty)
  }

  @Test(
    "A number in the files of a run that none can have is refused, and ends no resume by a signal")
  func numbers() throws {
    #expect(try stress("-n", "4", "-p", "2", "--judge-every", "2").code == 0)
    let run = try #require(runs.first)
    try TestSupport.run(["cp", "-r", directory("runs/\(run)"), directory("saved")])
    let values = [
      "-1", "2147483648", "9223372036854775807", "18446744073709551616", "1e308", "\"x\"",
    ]
    for name in ["checkpoint.json", "manifest.json", "history.jsonl"] {
      let path = "runs/\(run)/\(name)"
      let whole = try String(contentsOfFile: directory(path), encoding: .utf8)
      let lines = name.hasSuffix("l") ? String(whole.prefix { $0 != "\n" }) : whole
      let numbers = lines.ranges(of: /: ?\d+(?=[,\n}])/)
      #expect(numbers.count >= 7, "\(lines)")
      for number in numbers {
        for value in values {
          try directory.makeFile(path, whole.replacingCharacters(in: number, with: ":" + value))
          // A run with too many iterations to wait for is stopped by timeout(1).
          let outcome = try TestSupport.run(
            ["timeout", "2", Product.topicStress, "--run-dir", directory("runs"), "--resume", run],
            environment: environment)
          #expect(
            [0, 1, 65, 124].contains(outcome.code ?? -1),
            "\(name), \(whole[number]) as \(value): \(outcome)")
          for file in ["checkpoint.json", "manifest.json", "history.jsonl"] where file != name {
            _ = try? FileManager.default.removeItem(atPath: directory("runs/\(run)/\(file)"))
            try FileManager.default.copyItem(
              atPath: directory("saved/\(file)"), toPath: directory("runs/\(run)/\(file)"))
          }
        }
      }
      try directory.makeFile(path, whole)
    }
  }

  @Test("A run that was killed is resumed with the same totals, and every call is there once")
  func resumed() throws {
    let words = ["-n", "60", "-p", "5", "--seed", "3", "--chaos", "kill", "--judge-every", "10"]
    let process = try RunningProcess(
      [Product.topicStress, "-d", directory("runs")] + words, environment: environment)
    try waitUntil(iterations >= 12)
    kill(process.id, SIGKILL)
    _ = try process.wait()
    let run = try #require(runs.first)
    // What the break-off can have left behind the checkpoint.
    let history = try FileHandle(
      forWritingTo: URL(fileURLWithPath: directory("runs/\(run)/history.jsonl")))
    try history.seekToEnd()
    try history.write(contentsOf: Data("{\"iteration\":13,\"pro".utf8))
    try history.close()

    let outcome = try stress("--resume", run, "--format", "json")
    #expect(outcome.code == 0, "\(outcome.text)\(outcome.error)")
    let report = try json(outcome)
    #expect(report["run"]?.string == run && report["resumes"]?.integer == 1)
    #expect(report["calls"]?.integer == 300 && report["iterations"]?.integer == 60)
    let keys = try lines("\(run)/history.jsonl").map {
      "\($0["iteration"]?.integer ?? 0)/\($0["process"]?.integer ?? 0)"
    }
    #expect(keys.count == 300 && Set(keys).count == 300)
    #expect(try read("manifest.json", of: run)["request"]?["seed"]?.integer == 3)
  }

  @Test(
    "Killed at any call of its own, a run leaves files that are whole, and can be resumed or says no"
  )
  func killedAnywhere() throws {
    var kills = 0
    for call in ["creat", "write", "fsync", "renameat", "mkdir", "unlinkat", "fork"] {
      for count in [1, 2, 3, 5, 8, 13] {
        let outcome = try stress(
          "-n", "4", "-p", "2", "--judge-every", "2",
          variables: ["POSIX_FAULT": "\(call):\(count):kill"])
        #expect(!outcome.faults.isEmpty || outcome.code == 0, "\(call) \(count): \(outcome)")
        guard outcome.signal == SIGKILL else { continue }
        kills += 1
        guard let run = runs.last else { continue }
        for name in directory.entries("runs/\(run)") where name.hasSuffix(".json") {
          _ = try read(name, of: run)
        }
        let resumed = try stress("--resume", run, "--format", "json")
        if resumed.code == 65 { continue }
        #expect(resumed.code == 0, "\(call) \(count): \(resumed.text)\(resumed.error)")
        #expect(try json(resumed)["calls"]?.integer == 8, "\(call) \(count)")
      }
    }
    #expect(try stress("--summary").code == 0)
    #expect(kills > 20)
  }

  @Test("A run that fell far behind the median of the earlier ones fails when that is asked for")
  func slower() throws {
    try directory.makeDirectories("runs")
    let line = { (share: Double) in
      "{\"status\":\"passed\",\"configuration\":\"topic-alloc, 2 at once\",\"relative_throughput\":\(share)}\n"
    }
    try directory.makeFile("runs/metrics.jsonl", String(repeating: line(100), count: 10) + "{\"cut")
    let outcome = try stress("-n", "2", "-p", "2", "--fail-below", "0.5")
    #expect(outcome.code == 1 && outcome.text.contains("FAILED  not slower than the last runs"))
    #expect(try stress("-n", "2", "-p", "2").code == 0, "unless it is asked for")
    let summary = try stress("--summary")
    #expect(
      summary.code == 0 && summary.lines.first?.contains("1 lines cut or spoilt") == true,
      "\(summary.text)")
  }

  @Test("What goes on is told on a terminal", .enabled(if: Product.hasProgram("script")))
  func progress() throws {
    let command =
      "TMPDIR='\(directory("tmp"))' '\(Product.topicStress)' -d '\(directory("runs"))' -n 30"
    let outcome = try run(["script", "-qec", command, "/dev/null"])
    #expect(outcome.text.contains("allocations/s, no violation") && outcome.text.contains("left"))
    #expect(outcome.text.contains("Collision rate: 0/300 (0%)"))
  }
}
