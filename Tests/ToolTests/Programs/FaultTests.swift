import Foundation
import TestSupport
import Testing

/// Makes every system call of an allocation fail, in a real process, through the fault seam of
/// debug builds (Sources/POSIX/System/Fault.swift).
@Suite(.timeLimit(.minutes(20))) struct FaultTests {
  /// A system call: the n-th of its kind, and its path.
  struct Call: Sendable {
    let name: String
    let occurrence: Int
    let path: String
    /// Whether the topic exists by then, so the failure affects only its delivery.
    let isDelivery: Bool
  }

  /// Errors of calls, each with the exit status that the contract documents.
  static let errors: [(name: String, number: Int32, code: Int32)] = [
    ("EACCES", EACCES, 77), ("EROFS", EROFS, 73), ("ENOSPC", ENOSPC, 73), ("EDQUOT", EDQUOT, 73),
    ("EMFILE", EMFILE, 73), ("EINTR", EINTR, 0), ("EIO", EIO, 74),
    ("ENAMETOOLONG", ENAMETOOLONG, 73), ("ELOOP", ELOOP, 73), ("ENOTDIR", ENOTDIR, 73),
    ("EPIPE", EPIPE, 74),
  ]

  let directory = TemporaryDirectory()

  /// The calls that topic-alloc makes with these arguments, in order.
  private func calls(_ words: [String]) throws -> [Call] {
    let trace = directory("trace")
    let outcome = try run(
      [Product.topicAlloc] + words, environment: ["POSIX_TRACE": trace])
    #expect(outcome.code == 0, "\(outcome.error)")
    var counts: [String: Int] = [:]
    var isDelivery = false
    let lines = try String(contentsOfFile: trace, encoding: .utf8).split(separator: "\n")
    try run(["rm", trace])
    return lines.map { line in
      let parts = line.split(separator: " ", maxSplits: 1, omittingEmptySubsequences: false)
      let name = String(parts[0])
      let isCreation = name == "mkdirat" || (name == "creat" && parts[1].hasSuffix(".md"))
      defer { isDelivery = isDelivery || isCreation }
      counts[name, default: 0] += 1
      return Call(
        name: name, occurrence: counts[name] ?? 0, path: String(parts[1]),
        isDelivery: isDelivery || name == "write")
    }
  }

  /// Whether the program continues despite the error:
  ///
  /// - EINTR repeats the call.
  /// - The search for .git and the check for dangling links are optional.
  /// - A lock file that cannot be written is opened for reading; without one, the root is locked.
  /// - Without a record of the highest number, the root is read.
  private func isBorne(_ call: Call, _ error: String) -> Bool {
    error == "EINTR" || call.name == "lstat" || call.path.contains("/.git")
      || ["fstatfs", "ioctl", "fcntl", "fgetxattr", "fsetxattr"].contains(call.name)
      || (call.isDelivery && ["fstat", "unlinkat"].contains(call.name))
      || (call.path.hasSuffix(".lock") && ["open", "creat"].contains(call.name)
        && ["EACCES", "EROFS"].contains(error))
      // Parents of the root that cannot be opened are not synced.
      || (call.isDelivery && call.name == "open" && error == "EACCES"
        && !call.path.hasSuffix("specs") && !call.path.contains("/specs/"))
  }

  @Test(
    "Each failing call gives the documented status, names path and cause, prints nothing, and leaves the root usable",
    arguments: [
      [], ["--durable"], ["--style", "adr"], ["--reuse"], ["--number", "5"], ["--dry-run"],
    ])
  func failures(options: [String]) throws {
    var root = 0
    func words() -> [String] { options + [directory("new\(root)/specs"), "a name"] }
    let isDryRun = options.contains("--dry-run")
    let onTheWay = try calls(words())
    #expect(onTheWay.contains { $0.name == (isDryRun ? "realpath" : "flock") })
    for call in onTheWay {
      for error in Self.errors {
        root += 1
        let what = "\(call.name) \(call.occurrence) on \(call.path): \(error.name), \(options)"
        let outcome = try run(
          [Product.topicAlloc] + words(),
          environment: ["POSIX_FAULT": "\(call.name):\(call.occurrence):\(error.number)"])
        if isBorne(call, error.name) {
          #expect(outcome.code == 0 && outcome.error == "", "\(what): \(outcome.error)")
          #expect(!outcome.output.isEmpty, "\(what)")
        } else {
          let isStream = call.path.isEmpty
          let code = isStream || (call.isDelivery && error.code == 73) ? 74 : error.code
          #expect(outcome.code == code, "\(what): \(outcome.error)")
          #expect(outcome.output.isEmpty, "\(what): \(outcome.text)")
          let cause = String(cString: strerror(error.number))
          #expect(outcome.error.contains(cause), "\(what): \(outcome.error)")
          let subject = call.path.isEmpty ? "standard output" : "'\(directory.path)"
          let names = outcome.error.contains(subject) || outcome.error.contains("'/")
          #expect(
            names && outcome.error.hasPrefix("topic-alloc: cannot "), "\(what): \(outcome.error)")
          if call.name == "write", !isDryRun {
            #expect(outcome.error.contains("created: '"), "\(what): \(outcome.error)")
          }
        }
        let next = try run(
          [Product.topicAlloc, "-f", "path"] + words().filter { $0 != "--dry-run" })
        if !options.contains("--number") {
          #expect(next.code == 0, "after \(what): \(next.error)")
        }
      }
    }
  }

  @Test("A short write is completed")
  func shortWrite() throws {
    let outcome = try run(
      [Product.topicAlloc, "-f", "path", directory("specs"), "x"],
      environment: ["POSIX_FAULT": "write:1:short"])
    #expect(outcome.code == 0)
    #expect(outcome.text == directory("specs/001_x") + "\n")
  }

  @Test("A failure halfway prints what exists and names the rest")
  func halfWay() throws {
    let outcome = try run(
      [Product.topicAlloc, "-f", "number", directory("specs"), "a", "b", "c", "d"],
      environment: ["POSIX_FAULT": "mkdirat:3:\(ENOSPC)"])
    #expect(outcome.code == 73)
    #expect(outcome.lines == ["001", "002"])
    #expect(outcome.error.contains("/003_c': No space left on device"))
    #expect(outcome.error.contains("not created: 'c', 'd'"))
    #expect(directory.entries("specs") == ["001_a", "002_b"])
  }

  @Test("If another process takes the name first, the next number is used")
  func entryAppears() throws {
    let outcome = try run(
      [Product.topicAlloc, "-f", "number", directory("specs"), "a"],
      environment: ["POSIX_FAULT": "mkdirat:1:\(EEXIST)"])
    // The name is gone at the second look, so it is unavailable: an error, not an endless loop.
    #expect(outcome.code == 73)
    #expect(outcome.error.contains("File exists"))
  }

  @Test("A kill at any call leaves nothing locked and no duplicate number")
  func killed() throws {
    let onTheWay = try calls([directory("specs"), "a"])
    var kills = 0
    for call in onTheWay {
      let outcome = try run(
        [Product.topicAlloc, directory("specs"), "a"],
        environment: ["POSIX_FAULT": "\(call.name):\(call.occurrence):kill"], mayMiss: true)
      // An existing root needs fewer calls, so some are never reached.
      #expect(outcome.faults.isEmpty ? outcome.code == 0 : outcome.signal == SIGKILL)
      if outcome.signal == SIGKILL { kills += 1 }
      let next = try run([Product.topicAlloc, "-w", "0", directory("specs"), "a"])
      #expect(next.code == 0, "after \(call.name) \(call.occurrence): \(next.error)")
    }
    #expect(kills > onTheWay.count / 2)
    let verdict = try run([Product.topic, "verify", "--start", "1", directory("specs")])
    #expect(verdict.code == 0, "\(verdict.text)")
  }
}
