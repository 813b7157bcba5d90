import POSIX
import TestSupport
import Testing

@testable import TopicAllocation

@Suite(.timeLimit(.minutes(20))) struct InvariantsTests {
  let directory = TemporaryDirectory()

  private func violations(
    _ style: Style = .topic, _ change: (inout Invariants) -> Void = { _ in }
  ) throws -> [Invariants.Violation] {
    var invariants = Invariants(style)
    // A process that another test starts keeps a copy of the lock until it executes its program.
    invariants.lockPatience = .seconds(10)
    change(&invariants)
    return try invariants.check(Path(directory.path)).violations
  }

  @Test("A sound root has no violation; entries without a number do not matter")
  func clean() throws {
    try directory.makeDirectories("001_a", "002_b", "20251129_backup", "2025-11-29-notes", "notes")
    try directory.makeFile("README.md")
    #expect(try violations().isEmpty)
  }

  @Test("Entries that share a number are a violation, however they spell it")
  func duplicates() throws {
    try directory.makeDirectories("001_a", "001_b", "0001_c")
    #expect(
      try violations().contains(
        .duplicate(number: 1, entries: ["0001_c", "001_a", "001_b"].map { Bytes($0) })))
  }

  @Test("Gaps are violations unless allowed; before the lowest number only if a start is given")
  func gaps() throws {
    try directory.makeDirectories("003_a", "004_b", "008_c")
    #expect(try violations() == [.gap(5...7)])
    #expect(try violations { $0.allowsGaps = true } == [])
    #expect(try violations { $0.start = 1 } == [.gap(1...2), .gap(5...7)])
    #expect(
      try violations {
        $0.start = 1
        $0.allowsGaps = true
      } == [.gap(1...2)])
  }

  @Test("Dates are real days, not numbers, in any style")
  func dates() throws {
    try directory.makeDirectories("2025-11-29-a", "2025-11-29", "1999-01-01_b", "20251129_c")
    #expect(try violations().isEmpty)
    #expect(try violations(.specKit).isEmpty)
    try directory.makeDirectories("2025-13-01-d", "2125-11-29-e", "2025-11-291-f")
    #expect(
      try violations().map { violation in
        if case .malformed(let entry, nil) = violation { entry } else { Bytes() }
      } == ["2025-11-291-f", "2025-13-01-d", "2125-11-29-e"].map { Bytes($0) })
  }

  @Test("Only files of the style share a number; other entries are companions or violations")
  func companions() throws {
    try directory.makeFile("0001-a.md")
    try directory.makeFile("0001-a picture.PNG")
    try directory.makeDirectories("0001-a")
    #expect(try violations(.adr).isEmpty)
    let report = try Invariants(.adr).check(Path(directory.path))
    #expect(report.topics == 1 && report.numbers == 1...1)
    try directory.makeFile("0001-b.md")
    try directory.makeDirectories("0002-c")
    #expect(
      try violations(.adr) == [
        .duplicate(number: 1, entries: ["0001-a.md", "0001-b.md"].map { Bytes($0) }),
        .wrongKind(entry: Bytes("0002-c")),
        .malformed(entry: Bytes("0002-c"), proposal: Bytes("0002-c.md")),
      ])
  }

  @Test("A root without numbered entries is a violation that names the probable style")
  func unrecognised() throws {
    try directory.makeFile(".gitkeep")
    #expect(try violations().isEmpty)
    try directory.makeFile("README.md")
    #expect(try violations() == [.unrecognised(entries: 1, fitting: nil)])
    try directory.makeDirectories("001-a", "002-b")
    #expect(try violations().first == .unrecognised(entries: 3, fitting: .specKit))
    #expect(try violations(.specKit).isEmpty)
  }

  @Test("A numbered file is a violation, as is a directory in a style that makes files")
  func kinds() throws {
    try directory.makeFile("001_a")
    try directory.makeDirectories("0001-a.md")
    #expect(try violations().contains(.wrongKind(entry: Bytes("001_a"))))
    #expect(try violations(.adr).contains(.wrongKind(entry: Bytes("0001-a.md"))))
  }

  @Test("A symlink to a directory counts as a directory; a dangling one does not")
  func links() throws {
    try directory.makeDirectories("elsewhere")
    try run(["ln", "-s", "elsewhere", directory("001_a")])
    try run(["ln", "-s", "nowhere", directory("002_b")])
    #expect(try violations() == [.wrongKind(entry: Bytes("002_b"))])
  }

  @Test("Names that no allocation creates are violations that show the right name")
  func names() throws {
    try directory.makeDirectories("001_Foo Bar", "002_", "003_ok", "7_x", "007", "004-dash")
    #expect(
      try Set(violations { $0.allowsGaps = true }) == [
        .malformed(entry: Bytes("001_Foo Bar"), proposal: Bytes("001_foo_bar")),
        .malformed(entry: Bytes("002_"), proposal: nil),
        .malformed(entry: Bytes("7_x"), proposal: nil),
        .malformed(entry: Bytes("007"), proposal: nil),
        .malformed(entry: Bytes("004-dash"), proposal: nil),
      ])
  }

  @Test("A lock that is held is a violation that names its holder", arguments: [true, false])
  func locks(lockFile: Bool) throws {
    try directory.makeFile(".topic_number.lock")
    let path = Path(lockFile ? directory(".topic_number.lock") : directory.path)
    let holder = try Descriptor(opening: path, lockFile ? .readWriteNoLink : .directory)
    #expect(try holder.tryLock())
    let found = try violations { $0.lockPatience = .zero }
    guard case .lockHeld(path, let process)? = found.first, found.count == 1 else {
      Issue.record("\(found)")
      return
    }
    #if os(Linux)
      #expect(process?.command.isEmpty == false)
    #endif
  }
}

@Suite(.timeLimit(.minutes(20))) struct LockHolderTests {
  @Test("/proc/locks gives the holder of a lock, not the waiting processes")
  func procLocks() throws {
    let status = try FileStatus.of(Path("/"))
    func device(_ number: UInt64) -> String { String(number, radix: 16) }
    let place = "\(device(status.deviceMajor)):\(device(status.deviceMinor)):\(status.inode)"
    let locks = """
      1: POSIX  ADVISORY  WRITE 700 \(place) 0 EOF
      2: FLOCK  ADVISORY  WRITE 701 fe:01:999999999 0 EOF
      4: FLOCK  ADVISORY  WRITE 704 fffff:01:\(status.inode) 0 EOF
      3: FLOCK  ADVISORY  WRITE 702 \(place) 0 EOF
      3: -> FLOCK  ADVISORY  WRITE 703 \(place) 0 EOF
      """
    let takers = LockHolder.takers(ofLockOn: status, in: Bytes(locks))
    #expect(takers.map(\.process) == [704, 702])
    #expect(takers.map(\.isSameDevice) == [false, true])
  }

  @Test("Malformed lines are skipped")
  func nonsense() throws {
    let status = try FileStatus.of(Path("/"))
    let locks =
      "\n:\n1: FLOCK\n1: FLOCK A W x 1:2:3 0 EOF\n1: FLOCK A W 5 zz:1:\(status.inode) 0 EOF"
    #expect(LockHolder.takers(ofLockOn: status, in: Bytes(locks)).isEmpty)
  }
}
