import Foundation
import POSIX
import StressHarness
import TestSupport
import Testing

/// The record of the highest number (Sources/TopicAllocation/NumberRecord.swift) is used, and never
/// wrong.
@Suite(.timeLimit(.minutes(20))) struct RecordTests {
  let directory = TemporaryDirectory()

  static let isPossibleHere =
    (try? Descriptor(opening: Path(NSTemporaryDirectory()), .directory).hasDistinctChangeTimes)
    ?? false

  private var root: String { directory("specs") }
  private var lockFile: String { root + "/.topic_number.lock" }

  /// The number of a new allocation, and whether it read the entries of the root.
  private func allocate(
    in root: String? = nil, _ options: String..., fault: String = ""
  ) throws -> (number: Int, readsRoot: Bool) {
    let trace = directory("trace")
    let outcome = try run(
      [Product.topicAlloc, "-f", "number"] + options + [root ?? self.root, "x"],
      environment: ["POSIX_TRACE": trace, "POSIX_FAULT": fault])
    let calls = try String(contentsOfFile: trace, encoding: .utf8)
    try FileManager.default.removeItem(atPath: trace)
    let number = try #require(outcome.lines.first.flatMap { Int($0) }, "\(outcome.error)")
    return (number, calls.contains("readdir "))
  }

  /// The record; nil if there is none.
  private var record: Bytes? {
    get { try? Descriptor(opening: Path(lockFile), .read).attribute("user.topic-alloc", upTo: 999) }
    nonmutating set {
      let file = try? Descriptor(opening: Path(lockFile), .readWriteNoLink)
      try? file?.setAttribute("user.topic-alloc", to: newValue ?? [])
    }
  }

  /// The number after the highest one of all entries.
  private func numberAfterAll(in root: String? = nil) throws -> Int {
    let names = try FileManager.default.contentsOfDirectory(atPath: root ?? self.root)
    let numbers = names.compactMap { name -> Int? in
      let digits = name.prefix { $0.isASCII && $0.isNumber }
      let isTopic = (3...7).contains(digits.count) && name.dropFirst(digits.count).first == "_"
      return isTopic ? Int(digits) : nil
    }
    return (numbers.max() ?? 0) + 1
  }

  @Test("Only the first allocation reads the root", .enabled(if: isPossibleHere))
  func used() throws {
    #expect(try allocate() == (1, true))
    for number in 2...20 { #expect(try allocate() == (number, false)) }
    #expect(try allocate("--dry-run") == (21, false))
    // A call for a name or a number needs all entries, and records what it finds.
    #expect(try allocate("--reuse") == (1, true))
    #expect(try allocate("--number", "40") == (40, true))
    #expect(try allocate() == (41, false))
  }

  @Test("A style ignores the record of another style")
  func styles() throws {
    try directory.makeDirectories("specs/0700-a", "specs/003_b")
    #expect(try allocate().number == 4)
    #expect(try allocate("--style", "spec-kit").number == 701)
    #expect(try allocate("--width", "2").number == 5)
    #expect(try allocate("--style", "adr").number == 701)
    #expect(try allocate().number == 5)
  }

  @Test(
    "If the kernel cannot report changes, there is no record, and nothing fails",
    arguments: [
      "fstatfs:1:\(ENOSYS)", "ioctl:1:\(ENOTTY)", "fcntl:1:\(EINVAL)", "fsetxattr:1:\(ENOTSUP)",
    ])
  func noRecord(fault: String) throws {
    for number in 1...3 { #expect(try allocate(fault: fault) == (number, true)) }
    #expect(record == nil)
  }

  @Test("The lock file of a new root is empty after a thousand allocations")
  func empty() throws {
    let names = (1...900).map { "topic \($0)" }
    try run([Product.topicAlloc, root] + names)
    for _ in 1...100 { _ = try allocate() }
    #expect(directory.entries("specs").count == 1_000)
    #expect(try Data(contentsOf: URL(fileURLWithPath: lockFile)).isEmpty)
    #expect(!Self.isPossibleHere || record != nil)
  }

  @Test("A lock file that cannot be read or written does not matter")
  func unreadable() throws {
    for number in 1...2 { #expect(try allocate().number == number) }
    #expect(try allocate(fault: "fgetxattr:1:\(EIO)") == (3, true))
    try run(["chmod", "444", lockFile])
    for number in 4...6 { #expect(try allocate().number == number) }
  }

  @Test(
    "A copy of a root ignores the record copied with it", .enabled(if: isPossibleHere))
  func copied() throws {
    for number in 1...3 { #expect(try allocate().number == number) }
    for command in [
      "cp -a specs copy",
      "mkdir copy; tar -C specs --xattrs -cf - . | tar -C copy --xattrs -xpf -",
    ] {
      let copying = try bash(command, in: directory.path)
      #expect(copying.code == 0, "\(copying.error)")
      #expect(try allocate(in: directory("copy")) == (4, true))
      try run(["rm", "-rf", directory("copy")])
    }
    // Moves it back to the old place, with an older record.
    try bash("cp -a specs copy && rm -rf specs/003_x && mv copy/003_x specs", in: directory.path)
    #expect(try allocate() == (4, true))
  }

  @Test(
    "The next allocation sees an entry that appears between creation and last look",
    .enabled(if: isPossibleHere && Product.hasProgram("strace")),
    arguments: [
      // Files, links, renames, and pairs that cancel out do not change the link count.
      "touch specs/500_file", "ln -s nowhere specs/500_link", "mkdir specs/500_directory",
      "mv specs/001_x specs/500_x", "mkdir specs/500_x && rmdir specs/001_x",
      "mkdir specs/400_x specs/500_x",
    ])
  func bystander(change: String) throws {
    for number in 1...2 { #expect(try allocate().number == number) }
    let slow = try RunningProcess([
      "strace", "-o", "/dev/null", "-e", "inject=mkdirat:delay_exit=400000",
      Product.topicAlloc, "-f", "number", root, "x",
    ])
    try waitUntil(FileManager.default.fileExists(atPath: root + "/003_x"))
    let changing = try bash(change, in: directory.path)
    #expect(changing.code == 0, "\(changing.error)")
    #expect(try slow.wait().lines == ["003"])
    #expect(try allocate() == (501, true))
  }

  @Test(
    "In random histories, every number is the one that reading the root gives", arguments: 1...4)
  func histories(seed: UInt64) throws {
    var random = SplitMix64(seed: seed)
    var oldRecord = Bytes()
    var allocations = 0
    var withoutReading = 0
    try directory.makeDirectories("specs")
    for step in 0..<250 {
      var changes = ""
      // Between two allocations, nothing or several things may happen.
      for _ in 0..<Int.random(in: 0...2, using: &random) {
        if Bool.random(using: &random) {
          changes += try disturbRoot(&random) + "; "
        } else {
          changes += try disturbRecord(&random, &oldRecord) + "; "
        }
      }
      let expected = try numberAfterAll()
      let what = "seed \(seed), step \(step): \(changes)"
      #expect(try allocate("--dry-run").number == expected, "\(what)")
      let (number, readsRoot) = try allocate()
      #expect(number == expected, "\(what)")
      allocations += 1
      withoutReading += readsRoot ? 0 : 1
    }
    if Self.isPossibleHere { #expect(withoutReading > allocations / 5) }
  }

  /// Changes, moves or copies the root, and describes what it did.
  private func disturbRoot(_ random: inout SplitMix64) throws -> String {
    let higher = String(
      format: "%03d", try numberAfterAll() + Int.random(in: 0...2, using: &random))
    let some = directory.entries("specs").randomElement(using: &random) ?? ""
    let last = directory.entries("specs").last ?? ""
    let time = ["'1 minute ago'", "'next year'", "1971-01-01", "now"].randomElement(using: &random)
    let changes = [
      "mkdir specs/\(higher)_foreign", "touch specs/\(higher)_file", "ln -s x specs/\(higher)_link",
      "mkdir specs/\(higher)_x && rmdir specs/\(higher)_x",
      "touch -d \(time ?? "now") specs", "mkdir specs/\(higher)_x && touch -r . specs",
      "rm -f specs/.topic_number.lock", "chmod 700 specs", "mv specs other && mv other specs",
      "cp -a specs copy && rm -rf specs && mv copy specs",
    ]
    let changesOfEntry = [
      "rm -rf specs/\(some)", "rm -rf specs/\(last)", "mv specs/\(some) specs/\(higher)_moved",
      "mv specs/\(some) . && mv \(some) specs", "mv specs/\(last) specs/\(last)_renamed",
    ]
    let all = some.isEmpty ? changes : changes + changesOfEntry
    let change = all.randomElement(using: &random) ?? ""
    let outcome = try bash(change, in: directory.path)
    #expect(outcome.code == 0, "\(change): \(outcome.error)")
    return change
  }

  /// Removes the record, changes one of its bytes, restores an old one, or replaces it with random
  /// data.
  private func disturbRecord(
    _ random: inout SplitMix64, _ oldRecord: inout Bytes
  ) throws -> String {
    let current = record ?? []
    var changed = current
    let kind = Int.random(in: 0...5, using: &random)
    switch kind {
    case 0: changed = []
    case 1: changed = oldRecord
    case 2:
      if let index = changed.indices.randomElement(using: &random) {
        changed[index] = .random(in: 0...255, using: &random)
      }
    case 3: changed += current.prefix(.random(in: 0...60, using: &random))
    case 4: changed = Bytes(current.prefix(.random(in: 0...60, using: &random)))
    default:
      changed = (0..<Int.random(in: 0...300, using: &random)).map { _ in
        .random(in: 0...255, using: &random)
      }
    }
    if Bool.random(using: &random) { oldRecord = current }
    record = changed
    return "record disturbed (\(kind))"
  }
}
