import Foundation
import TestSupport
import Testing

/// The test support itself: planned faults that do not fire, and waits that time out, fail a test.
@Suite(.timeLimit(.minutes(20))) struct SeamTests {
  let directory = TemporaryDirectory()

  private func save(fault: String, mayMiss: Bool = false) throws -> Outcome {
    try run(
      [Product.topicAlloc, directory("specs"), "a"], environment: ["POSIX_FAULT": fault],
      mayMiss: mayMiss)
  }

  @Test(
    "A malformed fault, or one in an unknown call, ends the program with status 99",
    arguments: [
      "openat:1:5", "mkdirat:1", "mkdirat:0:5", "mkdirat:x:5", "mkdirat:1:x", "mkdirat:1:0",
      "mkdirat:1:short", "mkdirat:1:5:5", "x",
    ])
  func malformed(fault: String) throws {
    let outcome = try save(fault: fault, mayMiss: true)
    #expect(outcome.code == 99 && outcome.error.hasPrefix("POSIX_FAULT: "), "\(outcome)")
    #expect(outcome.error.contains(fault) && directory.entries().isEmpty)
  }

  @Test("A fault that does not fire is an error, even in a script")
  func missed() throws {
    #expect(throws: FaultMissed.self) { try save(fault: "mkdirat:9:5") }
    #expect(throws: FaultMissed.self) {
      try bash("POSIX_FAULT=mkdirat:9:5 topic-alloc '\(directory("specs"))' a")
    }
    #expect(try save(fault: "mkdirat:9:5", mayMiss: true).faults.isEmpty)
    #expect(try save(fault: "mkdirat:1:\(EACCES)").faults == ["mkdirat:1:\(EACCES)"])
    #expect(try save(fault: "mkdirat:1:kill").faults == ["mkdirat:1:kill"])
  }

  @Test("A hanging process is killed and fails the test, as does a wait in vain")
  func hanging() throws {
    #expect(throws: TimeIsUp.self) { try RunningProcess(["sleep", "1000"]).wait(timeout: 0.1) }
    #expect(throws: TimeIsUp.self) { try waitUntil(false, timeout: 0.1) }
  }
}
