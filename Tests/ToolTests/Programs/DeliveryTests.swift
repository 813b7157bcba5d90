import Foundation
import TestSupport
import Testing

/// What reaches the caller, and the error if it cannot.
@Suite(.timeLimit(.minutes(20))) struct DeliveryTests {
  let directory = TemporaryDirectory()

  /// The lock file is opened first, so it would get the output for a closed stream.
  private func expectNoStrayOutput() throws {
    let text = try String(contentsOfFile: directory("specs/.topic_number.lock"), encoding: .utf8)
    #expect(text.isEmpty || text.hasPrefix("topic-alloc 1 ") && text.utf8.count == 192, "\(text)")
  }

  @Test(
    "If the output fails, the status is 74, and the message names what was created",
    arguments: [
      ("exec >&-", "Bad file descriptor"), ("exec >/dev/full", "No space left on device"),
      ("exec > >(exec true); wait \"$!\"", "Broken pipe"),
    ])
  func failingOutput(redirection: String, cause: String) throws {
    let outcome = try bash(
      "\(redirection); topic-alloc '\(directory("specs"))' a", environment: ["LC_ALL": "C"])
    #expect(outcome.code == 74)
    #expect(outcome.error.contains("cannot write to standard output: \(cause)"))
    #expect(outcome.error.contains("created: '\(directory("specs/001_a"))'"))
    try expectNoStrayOutput()
  }

  @Test("With all standard streams closed, no file gets their output")
  func closedStreams() throws {
    let outcome = try bash("topic-alloc '\(directory("specs"))' a <&- >&- 2>&-")
    #expect(outcome.code == 74)
    #expect(directory.entries("specs") == ["001_a"])
    try expectNoStrayOutput()
  }

  @Test(
    "After an allocation the topic is empty",
    arguments: [
      "topic-alloc specs a", "topic locate a",
      "source \"$library\"; perform_location_detection a",
    ])
  func lazy(command: String) throws {
    try directory.makeDirectories("specs")
    let library = Product.sources + "/shell/unified-location-detection.sh"
    let outcome = try bash(command, in: directory.path, environment: ["library": library])
    #expect(outcome.code == 0 && outcome.text.contains("/reports\""), "\(outcome.error)")
    #expect(directory.entries("specs") == ["001_a"])
    let all = try FileManager.default.contentsOfDirectory(atPath: directory("specs/001_a"))
    #expect(all.isEmpty)
  }

  @Test(
    "If the lock stays held until the timeout, the status is 75, and the message names the holder",
    .enabled(if: Product.hasProgram("flock")), arguments: [".topic_number.lock", "."])
  func timeout(lock: String) throws {
    try directory.makeDirectories("specs")
    try directory.makeFile("specs/.topic_number.lock")
    let lock = try HeldLock(directory("specs/\(lock)"))
    for seconds in ["0", "0.1"] {
      let outcome = try run([Product.topicAlloc, "-w", seconds, directory("specs"), "a"])
      #expect(outcome.code == 75 && outcome.output.isEmpty)
      #expect(outcome.error.contains("not free after"))
      #if os(Linux)
        let holder = "held by process \(lock.holder.id) ('sleep 1000')"
        #expect(outcome.error.contains(holder), "\(outcome.error)")
      #endif
    }
    #expect(directory.entries("specs").isEmpty)
    try lock.release()
  }

  @Test(
    "If flock(1) took the lock for its shell, the shell is the holder",
    .enabled(if: Product.hasProgram("flock")))
  func inheritedLock() throws {
    try directory.makeDirectories("specs")
    let outcome = try bash(
      "exec 9>'\(directory("specs/.topic_number.lock"))'; flock 9; topic-alloc -w 0 '\(directory("specs"))' a 9>&-; echo $$"
    )
    #if os(Linux)
      #expect(
        outcome.error.contains("held by process \(outcome.lines.last ?? "?") ('bash "),
        "\(outcome.error)")
    #endif
  }

  @Test(
    "A signal ends the wait for the lock, and nothing is created",
    .enabled(if: Product.hasProgram("flock")), arguments: [SIGINT, SIGTERM, SIGHUP])
  func signalWhileWaiting(signal: Int32) throws {
    try directory.makeDirectories("specs")
    let lock = try HeldLock(directory("specs"))
    let waiter = try RunningProcess([Product.topicAlloc, directory("specs"), "a"])
    try run(["sleep", "0.2"])
    kill(waiter.id, signal)
    #expect(try waiter.wait().signal == signal)
    #expect(directory.entries("specs").isEmpty)
    try lock.release()
  }

  @Test(
    "A root that is replaced while a process waits for its lock still gets the topic",
    .enabled(if: Product.hasProgram("flock")))
  func replacedRoot() throws {
    try directory.makeDirectories("specs/005_old")
    let lock = try HeldLock(directory("specs"))
    let waiter = try RunningProcess([Product.topicAlloc, "-f", "path", directory("specs"), "a"])
    try run(["sleep", "0.2"])
    try run(["mv", directory("specs"), directory("moved")])
    try directory.makeDirectories("specs/007_new")
    try lock.release()
    #expect(try waiter.wait().text == directory("specs/008_a") + "\n")
    #expect(directory.entries("moved") == ["005_old"])
  }

  @Test(
    "A root that is removed while a process waits for its lock is created again",
    .enabled(if: Product.hasProgram("flock")))
  func removedRoot() throws {
    try directory.makeDirectories("deep/specs")
    let lock = try HeldLock(directory("deep/specs"))
    let waiter = try RunningProcess([
      Product.topicAlloc, "-f", "path", directory("deep/specs"), "a",
    ])
    try run(["sleep", "0.2"])
    try run(["rm", "-r", directory("deep")])
    try lock.release()
    #expect(try waiter.wait().text == directory("deep/specs/001_a") + "\n")
  }

  @Test(
    "With a stalled reader, a signal still ends the program, which names what it created",
    arguments: [SIGINT, SIGTERM, SIGQUIT])
  func stalledReader(signal: Int32) throws {
    let script = """
      mkfifo pipe
      sleep 1000 <pipe & reader=$!
      seq 5000 | topic-alloc specs - >pipe 2>said & writer=$!
      until [[ -d specs/5000_5000 ]]; do sleep 0.05; done
      kill -\(signal) $writer
      wait $writer; echo $?
      kill $reader
      """
    // Without job control, background commands of a shell ignore SIGINT and SIGQUIT.
    let outcome = try bash("set -m\n" + script, in: directory.path)
    #expect(outcome.lines == ["\(128 + signal)"], "\(outcome.error)")
    let said = try String(contentsOfFile: directory("said"), encoding: .utf8)
    #expect(said.contains("created: '\(directory("specs/001_1"))' to "), "\(said)")
    #expect(said.contains("5000 in all"))
  }

  @Test("If printing fails after a failure halfway, the message names both")
  func doubleFailure() throws {
    let outcome = try bash(
      "POSIX_FAULT=mkdirat:2:28 topic-alloc '\(directory("specs"))' a b c >/dev/full")
    #expect(outcome.code == 73)
    for part in [
      "002_b': No space left on device", "not created: 'b', 'c'", "cannot write to", "001_a",
    ] {
      #expect(outcome.error.contains(part), "\(outcome.error)")
    }
  }

  @Test("Arguments are read even if no descriptor is available")
  func noDescriptors() throws {
    let outcome = try bash(
      "ulimit -n 3; topic-alloc --version; topic-alloc specs a", in: directory.path)
    #expect(outcome.lines == ["topic-alloc 0.2.0"])
    #expect(outcome.code == 73 && outcome.error.contains("Too many open files"), "\(outcome.error)")
  }

  @Test("-v says how long the lock was waited for and held")
  func verbose() throws {
    let outcome = try run([Product.topicAlloc, "-v", "-f", "number", directory("specs"), "a"])
    #expect(outcome.lines == ["001"])
    let shape =
      #/topic-alloc: waited \d+\.\d{3} ms for the lock, held it for \d+\.\d{3} ms, from \d+\.\d{9} s to \d+\.\d{9} s\n/#
    #expect(outcome.error.wholeMatch(of: shape) != nil, "\(outcome.error)")
  }

  @Test(
    "The project comes from the variable, else from the work tree, else from the directories above the root"
  )
  func project() throws {
    try directory.makeDirectories("repo/.git", "repo/docs/adr", "plain/.claude/specs", "other")
    try directory.makeFile("repo/.git/HEAD")
    func project(_ root: String, _ environment: [String: String] = [:]) throws -> String {
      let outcome = try run(
        [Product.topicAlloc, "--dry-run", directory(root), "a"], environment: environment)
      let object = try JSONSerialization.jsonObject(with: outcome.output) as? [String: Any]
      return object?["project_root"] as? String ?? outcome.error
    }
    #expect(try project("repo/docs/adr") == directory("repo"))
    #expect(try project("plain/.claude/specs") == directory("plain"))
    #expect(try project("plain/specs") == directory("plain"))
    #expect(
      try project("plain/specs", ["CLAUDE_PROJECT_DIR": directory("other")]) == directory("other"))
  }
}
