import POSIX
import TestSupport
import Testing

@testable import TopicAllocation

@Suite(.timeLimit(.minutes(20))) struct RootTests {
  let directory = TemporaryDirectory()

  @Test("Links are resolved and trailing slashes vanish")
  func links() throws {
    try directory.makeDirectories("real/specs")
    try run(["ln", "-s", "real", directory("link")])
    for name in ["link/specs", "link/specs/", "real/./specs//", "link/specs/../specs"] {
      #expect(try Root(locating: Path(directory(name))).path == Path(directory("real/specs")))
    }
  }

  @Test("Missing directories are counted, not created")
  func missing() throws {
    let root = try Root(locating: Path(directory("a/b/c/")))
    #expect(root.missing == 3)
    #expect(root.path == Path(directory("a/b/c")))
    #expect(directory.entries().isEmpty)
  }

  @Test("A path can go up from a missing directory to an existing one")
  func upward() throws {
    try directory.makeDirectories("specs")
    let root = try Root(locating: Path(directory("new/../specs")))
    #expect(root.path == Path(directory("specs")) && root.exists)
    #expect(try Root(locating: Path(directory("a/../b"))).missing == 1)
  }

  @Test("Dangling and circular symlinks are errors")
  func badLinks() throws {
    try run(["ln", "-s", "nowhere", directory("dangling")])
    try run(["ln", "-s", "loop", directory("loop")])
    for name in ["dangling", "loop", "dangling/specs", "loop/specs"] {
      #expect(throws: SystemError.self) { try Root(locating: Path(directory(name))) }
    }
  }

  @Test("A file within the path is an error")
  func fileInTheWay() throws {
    try directory.makeFile("file")
    #expect(throws: SystemError.self) { try Root(locating: Path(directory("file/specs"))) }
  }

  @Test("Topics come in the order of their numbers")
  func topics() throws {
    try directory.makeDirectories("1000_a", "002_c", "010_b", "002_b", "x")
    let topics = try Root(locating: Path(directory.path)).topics(.topic)
    #expect(topics.map(\.entryName) == ["002_b", "002_c", "010_b", "1000_a"].map { Bytes($0) })
  }
}
