import Foundation
import JSON
import POSIX
import TestSupport
import Testing

/// The program itself, with real processes.
@Suite(.serialized, .timeLimit(.minutes(20))) struct RunTests {
  let directory = TemporaryDirectory()
  private static let locked = "'\(Product.sources)/stress/allocators/locked.sh' {root} {name}"
  private static let unlocked = "'\(Product.sources)/stress/allocators/unlocked.sh' {root} {name}"

  init() throws {
    try directory.makeDirectories("tmp")
  }

  var environment: [String: String] { ["TMPDIR": directory("tmp")] }

  @discardableResult
  func stress(_ words: String..., variables: [String: String] = [:]) throws -> Outcome {
    try run(
      [Product.topicStress, "--run-dir", directory("runs")] + words,
      environment: environment.merging(variables) { _, given in given },
      // Children have the same plan of faults, and may not get as far as the harness.
      mayMiss: true)
  }

  func json(_ outcome: Outcome) throws -> JSONValue {
    try JSONValue(parsing: Bytes(outcome.output))
  }

  func read(_ name: String, of run: String) throws -> JSONValue {
    let text = try Data(contentsOf: URL(fileURLWithPath: directory("runs/\(run)/\(name)")))
    return try JSONValue(parsing: Bytes(text))
  }

  var runs: [String] { directory.entries("runs").filter { $0 != "metrics.jsonl" } }

  /// The number of complete iterations of the first run.
  var iterations: Int {
    runs.first.flatMap { try? read("checkpoint.json", of: $0)["iterations"]?.integer } ?? 0
  }

  func lines(_ name: String) throws -> [JSONValue] {
    try String(contentsOfFile: directory("runs/\(name)"), encoding: .utf8)
      .split(separator: "\n").map { try JSONValue(parsing: Bytes(String($0))) }
  }

  @Test("The default allocator passes, and standard error is empty")
  func plain() throws {
    let outcome = try stress("-n", "20")
    #expect(outcome.code == 0 && outcome.error.isEmpty, "\(outcome.text)\(outcome.error)")
    #expect(outcome.lines.first == "Collision rate: 0/200 (0%)")
    #expect(!outcome.text.contains("FAILED") && outcome.text.contains("Throughput"))
    #expect(outcome.text.contains("ok      no two held the lock at once"))
    #expect(directory.entries("tmp").isEmpty)
  }

  @Test("An allocator without a lock always fails", arguments: 1...5)
  func unlocked(seed: Int) throws {
    let outcome = try stress("-n", "10", "--seed", "\(seed)", "--allocator", Self.unlocked)
    #expect(outcome.code == 1)
    #expect(outcome.text.contains("FAILED  no number twice"))
    #expect(outcome.text.contains("Repeat with: topic-stress --iterations 10 --processes 10"))
    #expect(outcome.text.contains("--seed \(seed)"))
    #expect(!outcome.text.contains("Collision rate: 0/"))
  }

  @Test("The old protocol passes, alone and mixed with topic-alloc")
  func locked() throws {
    #expect(try stress("-n", "5", "--allocator", Self.locked).code == 0)
    let mixed = try stress("-n", "10", "--mix", Self.locked)
    #expect(mixed.code == 0, "\(mixed.text)")
  }

  @Test(
    "Each kind of wrong answer has its own message",
    arguments: [
      ("sh -c 'echo nonsense' {root} {name}", "printed no number, path or JSON"),
      ("sh -c : {root} {name}", "printed nothing"),
      ("sh -c 'sleep 1234' {root} {name}", "did not end and was killed"),
      ("sh -c 'echo 1; sleep 1234 & exit' {root} {name}", "outlived its call and was killed"),
      (
        "sh -c 'echo 1; setsid sleep 1234 & exit' {root} {name}", "outlived its call and was killed"
      ),
      ("sh -c 'kill -SEGV $$' {root} {name}", "was ended by signal 11"),
      ("sh -c 'exit 3' {root} {name}", "failed with code 3"),
      ("yes {root} {name}", "printed without end and was killed"),
      ("sh -c 'mkdir \"$1/001_$2\"; echo /else/001_$2' sh {root} {name}", "which does not exist"),
      ("sh -c 'echo 7' {root} {name}", "reported number 7, which does not exist"),
      ("sh -c 'mkdir \"$1/7_$2\"; exit 3' sh {root} {name}", "failed with code 3"),
    ])
  func wrong(command: String, verdict: String) throws {
    // In single quotes, $$ and "$1" belong to the called shell.
    let outcome = try stress("-n", "3", "-p", "3", "--timeout", "1", "--allocator", command)
    #expect(outcome.code == 1)
    #expect(outcome.text.contains(verdict), "\(outcome.text)")
    #expect(runningCommands(containing: "sleep 1234 ").isEmpty)
    #expect(directory.entries("tmp").isEmpty)
  }

  @Test(
    "Wrong options are refused before anything is created",
    arguments: [
      (["--allocator", "no-such-program {root} {name}"], "'no-such-program' does not exist"),
      (["--mix", "sh {root}"], "has no {name}"), (["--chaos", "kil"], "did you mean 'kill'?"),
      (["--iterations", "many"], "--iterations takes a number"),
      (["--minutes", "0"], "takes minutes"),
      (["--root", "/x", "--chaos", "full"], "excludes --root"),
      (["operand"], "unexpected argument 'operand'"),
      (["--fail-below", "x"], "takes a share"), (["--seed", "-1"], "--seed takes a number"),
    ] as [([String], String)])
  func refused(words: [String], message: String) throws {
    let outcome = try run(
      [Product.topicStress, "-d", directory("runs")] + words, environment: environment)
    #expect(outcome.code == 64, "\(outcome.error)")
    #expect(outcome.error.contains(message), "\(outcome.error)")
    #expect(outcome.output.isEmpty && directory.entries() == ["tmp"])
  }
}
