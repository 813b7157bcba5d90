import POSIX
import TestSupport
import Testing

@testable import TopicAllocation

@Suite(.timeLimit(.minutes(20))) struct AllocatorTests {
  let directory = TemporaryDirectory()

  private func allocator(_ name: String = "specs", _ style: Style = .topic) throws -> Allocator {
    Allocator(try Root(locating: Path(directory(name))), style)
  }

  private func slugs(_ names: String...) -> [Slug] {
    names.compactMap { Slug(Bytes($0), .underscores) }
  }

  private func failureOf(_ allocator: Allocator, _ slugs: [Slug]) -> AllocationFailure? {
    do throws(AllocationFailure) { _ = try allocator.allocate(slugs) } catch { return error }
    return nil
  }

  private func names(_ topics: [Topic]) -> [String] {
    topics.map { String(decoding: $0.entryName, as: UTF8.self) }
  }

  @Test(
    "The root and its parents are created, and the first topic has the first number of the style")
  func newRoot() throws {
    let topics = try allocator("a/b/specs").allocate(slugs("x")).topics
    #expect(names(topics) == ["001_x"])
    #expect(directory.entries("a/b/specs") == ["001_x"])
    #expect(directory.entries("a/b/specs/001_x").isEmpty)
  }

  @Test("The next number is one more than the highest, whatever kind of file has it")
  func highest() throws {
    try directory.makeDirectories("specs/005_a", "specs/20251129_backup", "specs/0042_x")
    try directory.makeFile("specs/041_file")
    #expect(names(try allocator().allocate(slugs("y")).topics) == ["043_y"])
  }

  @Test("After 999 comes 1000, and names sort in the order of their numbers")
  func thousand() throws {
    try directory.makeDirectories("specs/999_a")
    let topics = try allocator().allocate(slugs("b", "c")).topics
    #expect(names(topics) == ["1000_b", "1001_c"])
  }

  @Test("Running out of numbers is an error, and nothing is created")
  func exhausted() throws {
    try directory.makeDirectories("specs/9999998_a")
    #expect(throws: AllocationFailure.self) { try allocator().allocate(slugs("b", "c")) }
    #expect(directory.entries("specs") == ["9999998_a"])
    #expect(names(try allocator().allocate(slugs("b")).topics) == ["9999999_b"])
    #expect(throws: AllocationFailure.self) { try allocator().allocate(slugs("c")) }
    #expect(throws: AllocationFailure.self) { try allocator().preview(slugs("c")) }
  }

  @Test("Several names get consecutive numbers in their order")
  func several() throws {
    let topics = try allocator().allocate(slugs("c", "a", "b", "a")).topics
    #expect(names(topics) == ["001_c", "002_a", "003_b", "004_a"])
  }

  @Test("Reuse returns the topic of exactly that name, the lowest of several")
  func reuse() throws {
    try directory.makeDirectories("specs/004_a", "specs/002_a", "specs/003_ab")
    var allocator = try allocator()
    allocator.reusesNames = true
    #expect(
      names(try allocator.allocate(slugs("a", "b", "b")).topics) == ["002_a", "005_b", "005_b"])
    #expect(directory.entries("specs").count == 4)
  }

  @Test("A requested number is taken even below the highest one, unless it is in use")
  func number() throws {
    try directory.makeDirectories("specs/009_a")
    var allocator = try allocator()
    allocator.number = 3
    #expect(names(try allocator.allocate(slugs("b")).topics) == ["003_b"])
    guard case .numberTaken(3, let owner)? = failureOf(allocator, slugs("c"))?.reason else {
      Issue.record("the number was taken twice")
      return
    }
    #expect(owner.lastComponent == Bytes("003_b"))
    allocator.reusesNames = true
    #expect(names(try allocator.allocate(slugs("b")).topics) == ["003_b"])
  }

  @Test("Decision records are empty files")
  func files() throws {
    let topics = try allocator("adr", .adr).allocate(slugs("x")).topics
    #expect(names(topics) == ["0001-x.md"])
    #expect(try FileStatus.of(topics[0].path).kind == .file)
  }

  @Test("A preview predicts the next allocation and creates nothing")
  func preview() throws {
    #expect(names(try allocator("a/specs").preview(slugs("x", "y"))) == ["001_x", "002_y"])
    #expect(directory.entries().isEmpty)
    try directory.makeDirectories("specs/007_z")
    #expect(names(try allocator().preview(slugs("x"))) == ["008_x"])
    #expect(try FileStatus.of(Path(directory("specs"))).kind == .directory)
    #expect(!Path(directory("specs/.topic_number.lock")).isReachable)
  }

  @Test("A failure halfway reports which topics exist and which do not")
  func halfWay() throws {
    // The third name is too long for a directory entry.
    var style = Style.topic
    style.suffix = Bytes("." + String(repeating: "x", count: 250))
    let long = Slug(exactly: Bytes(repeating: UInt8(ascii: "a"), count: 50))
    var allocator = try allocator()
    allocator = Allocator(allocator.root, style)
    let failure = try #require(failureOf(allocator, [Slug(exactly: Bytes()), long, long]))
    #expect(failure.done.count == 1)
    #expect(failure.missing == [long, long])
    guard case .system(let error) = failure.reason else {
      Issue.record("\(failure.reason)")
      return
    }
    #expect(error.errno == .nameTooLong)
  }

  @Test("A lock file that is a directory or a link loop is an error that names it")
  func badLockFile() throws {
    try directory.makeDirectories("one/.topic_number.lock", "two")
    try run(["ln", "-s", ".topic_number.lock", directory("two/.topic_number.lock")])
    for root in ["one", "two"] {
      let failure = try #require(failureOf(allocator(root), slugs("x")))
      guard case .system(let error) = failure.reason else {
        Issue.record("\(failure.reason)")
        return
      }
      #expect(error.path == Path(directory("\(root)/.topic_number.lock")))
    }
  }

  @Test("A lock file that is a symlink is refused, and its target is left alone")
  func linkedLockFile() throws {
    try directory.makeDirectories("specs")
    try directory.makeFile("secret", "text")
    try run(["chmod", "600", directory("secret")])
    for target in ["secret", "nowhere"] {
      try run(["ln", "-sf", directory(target), directory("specs/.topic_number.lock")])
      guard case .system(let error)? = try failureOf(allocator(), slugs("x"))?.reason else {
        Issue.record("a link to \(target) was followed")
        return
      }
      #expect(error.errno == .linkLoop)
    }
    #expect(try FileStatus.of(Path(directory("secret"))).permissions == 0o600)
    #expect(directory.entries() == ["secret", "specs"])
    #expect(directory.entries("specs").isEmpty)
  }

  @Test(
    "Reuse accepts no file or dangling symlink as a topic, and no directory as a record")
  func reuseOfOthers() throws {
    try directory.makeDirectories("specs", "adr/0003-x", "adr/0004-x.md")
    try directory.makeFile("specs/005_x")
    try run(["ln", "-s", "nowhere", directory("specs/006_x")])
    var topics = try allocator()
    topics.reusesNames = true
    #expect(names(try topics.allocate(slugs("x")).topics) == ["007_x"])
    var records = try allocator("adr", .adr)
    records.reusesNames = true
    #expect(names(try records.allocate(slugs("x")).topics) == ["0005-x.md"])
  }

  @Test("Reusing a name that has another number than the requested one is an error")
  func reuseWithNumber() throws {
    try directory.makeDirectories("specs/003_a", "specs/007_b", "specs/007_a")
    var allocator = try allocator()
    allocator.reusesNames = true
    allocator.number = 9
    guard case .nameTaken(9, let topic)? = failureOf(allocator, slugs("a"))?.reason else {
      Issue.record("the name was taken twice")
      return
    }
    #expect(topic.lastComponent == Bytes("003_a"))
    for (number, name) in [(3, "003_a"), (7, "007_a")] {
      allocator.number = number
      #expect(names(try allocator.allocate(slugs("a")).topics) == [name])
    }
  }

  @Test("Every user who can write to a root can write to its new lock file")
  func lockFilePermissions() throws {
    try directory.makeDirectories("specs")
    try run(["chmod", "2775", directory("specs")])
    _ = try allocator().allocate(slugs("x"))
    let status = try FileStatus.of(Path(directory("specs/.topic_number.lock")))
    #expect(status.permissions == 0o664)
  }
}
