import Foundation
import TestSupport
import Testing

/// Renumberings that fail.
extension RenumberTests {
  @Test("A directory that appears under a new name is left alone, and everything is undone")
  func nameTaken() throws {
    try makeClash()
    try run(["touch", directory("specs/.topic_number.lock")])
    _ = try script("git update-index --assume-unchanged specs/002_a/f")
    // git would move an entry into the first; rename(2) would replace the second.
    for (taken, made) in [("003_a", "003_a/theirs"), ("005_d", "005_d")] {
      let environment = try before("mv", "mkdir -p specs/\(made)")
      let before = try state()
      let outcome = try script(
        "'\(Product.topic)' renumber --apply specs", environment: environment)
      #expect(outcome.code == 73, "\(taken): \(outcome.error)")
      #expect(outcome.error.contains("specs/\(taken)': File exists; nothing is changed"))
      #expect(
        directory.entries("specs")
          == ["001_a", "002_a", "002_b", "002_c", "002_d", taken].sorted())
      try run(["rm", "-r", directory("specs/\(taken)")])
      #expect(try state() == before, "\(taken)")
    }
  }

  @Test(
    "Whichever step fails, everything is undone",
    arguments: [
      ("renameat", EACCES), ("fork", EAGAIN), ("creat", ENOSPC), ("write", ENOSPC), ("fsync", EIO),
      ("renameat2", EACCES),
    ])
  func undone(call: String, error: Int32) throws {
    try makeClash()
    try run(["touch", directory("specs/.topic_number.lock")])
    let before = try state()
    for number in 1... {
      let fault = "\(call):\(number):\(error)"
      let outcome = try script("POSIX_FAULT=\(fault) topic renumber --apply specs", mayMiss: true)
      if outcome.faults.isEmpty {
        #expect(outcome.code == 0 && number > 1, "\(fault): \(outcome.error)")
        return
      }
      // The last git only refreshes its index.
      if outcome.code == 0 { return #expect(call == "fork" && number > 1, "\(fault)") }
      #expect(outcome.output.isEmpty, "\(fault): \(outcome.text)")
      // The last write prints the report.
      if outcome.error.contains("; the renumbering is done") { return #expect(number > 1) }
      #expect(try state() == before, "\(fault): \(outcome.error)")
      #expect(!outcome.error.contains("could not be undone"))
    }
  }

  @Test("If the report cannot be printed, the renumbering is done and the message says so")
  func unreported() throws {
    try makeClash()
    let outcome = try script("topic renumber --apply specs >/dev/full")
    #expect(outcome.code == 74, "\(outcome.error)")
    #expect(
      outcome.error.contains("No space left on device; the renumbering is done"), "\(outcome.error)"
    )
    #expect(directory.entries("specs") == ["001_a", "002_b", "003_a", "004_c", "005_d"])
    let names = try script(
      "mkdir specs/005_$(printf '\\377'); topic renumber --apply -f json specs")
    #expect(names.code == 65 && directory.entries("specs").count == 6, "\(names.error)")
  }

  @Test("A signal halfway undoes everything", .enabled(if: Product.hasProgram("strace")))
  func interrupted() throws {
    try makeClash()
    try run(["touch", directory("specs/.topic_number.lock")])
    let before = try state()
    for call in ["renameat:signal=INT:when=1", "renameat:signal=TERM:when=2"] {
      let outcome = try script(
        "exec strace -o /dev/null -e inject=\(call) \(Product.topic) renumber --apply specs")
      #expect(outcome.signal == SIGINT || outcome.signal == SIGTERM, "\(outcome)")
      #expect(try state() == before)
    }
  }
}
