import Foundation
import TestSupport
import Testing

@testable import POSIX

@Suite(.timeLimit(.minutes(20))) struct EntryWatchTests {
  let directory = TemporaryDirectory()

  /// Commands that change the entries of the directory `d`, in order. At the end it is as before.
  static let changes = [
    "mkdir d/x", "mv d/x d/y", "mv d/y y", "mv y d/y", "rmdir d/y", "touch d/f", "ln d/f d/g",
    "rm d/f",
    "rm d/g", "ln -s q d/l", "rm d/l",
  ]

  #if os(Linux)
    @Test("A watch counts changes of entries by any process, and nothing else")
    func counts() throws {
      try directory.makeDirectories("d")
      try directory.makeFile("d/file")
      let watched = try Descriptor(opening: Path(directory("d")), .directory)
      let watch = try EntryWatch(watched)
      #expect(watch.changes(of: watched) == 0)
      try bash("ls d; cat d/file; echo more >>d/file; chmod 700 d; touch d", in: directory.path)
      #expect(watch.changes(of: watched) == 0)
      for change in Self.changes {
        try bash(change, in: directory.path)
        #expect(watch.changes(of: watched) ?? 1 > 0, "\(change)")
      }
      try bash("mkdir d/1 d/2 d/3", in: directory.path)
      #expect(watch.changes(of: watched) == 3)
    }

    @Test("Changes that one watch has not read do not count for the next")
    func leftOver() throws {
      try directory.makeDirectories("d")
      let first = try Descriptor(opening: Path(directory("d")), .directory)
      _ = try EntryWatch(first)
      try first.makeDirectory(Bytes("x"), .ofDirectory)
      let second = try Descriptor(opening: Path(directory("d")), .directory)
      #expect(try EntryWatch(second).changes(of: second) == 0)
    }
  #endif

  /// Covers every file system that tests can write to here. If a kernel fails this on one of them,
  /// the program must not trust its change times there.
  @Test(
    "If change times are distinct, every change gives the directory a new one",
    arguments: [NSTemporaryDirectory(), "/dev/shm", "/var/tmp", "/run"])
  func distinct(place: String) throws {
    let path = Path(place + "/topic-alloc-test")
    guard let top = try? Path.makeTemporaryDirectory(path) else { return }
    defer { try? top.removeTree() }
    let root = try Descriptor(opening: top, .directory)
    guard root.hasDistinctChangeTimes else { return }
    for _ in 0..<500 {
      func change(_ what: String, _ body: () throws -> Void) throws {
        let before = try root.status().changed
        try body()
        #expect(try root.status().changed != before, "\(what) in \(place)")
      }
      let (x, y) = (Bytes("x"), Bytes("y"))
      try change("mkdir") { try root.makeDirectory(x, .ofDirectory) }
      try change("rename") { try root.rename(x, to: y) }
      try change("rmdir") { try root.removeDirectory(y) }
      try change("creat") {
        _ = try Descriptor(opening: x, in: root, .creatingNew(.ofFile))
      }
      try change("link") { link(place: top, x, y) }
      try change("unlink") { try root.removeFile(x) }
      try change("unlink") { try root.removeFile(y) }
    }
  }

  private func link(place: Path, _ old: Bytes, _ new: Bytes) {
    _ = place.appending(old).withCString { old in
      place.appending(new).withCString { Foundation.link(old, $0) }
    }
  }
}
