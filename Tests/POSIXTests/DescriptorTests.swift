import POSIX
import TestSupport
import Testing

@Suite(.timeLimit(.minutes(20))) struct DescriptorTests {
  let directory = TemporaryDirectory()

  @Test("An error names the call, the path and the errno")
  func error() throws {
    let path = Path(directory("missing"))
    #expect(throws: SystemError(.open, path, .notFound)) {
      _ = try Descriptor(opening: path, .read)
    }
    #expect(throws: SystemError(.mkdir, Path(directory.path), .exists)) {
      try Path(directory.path).makeDirectory()
    }
  }

  @Test("A directory can be read twice, and the second reading sees new entries")
  func entries() throws {
    try directory.makeDirectories("one", ".hidden")
    let root = try Descriptor(opening: Path(directory.path), .directory)
    func names() throws -> [String] {
      var names: [String] = []
      try root.forEachEntry { entry, _ in names.append(String(decoding: entry, as: UTF8.self)) }
      return names.sorted()
    }
    #expect(try names() == [".hidden", "one"])
    try root.makeDirectory(Bytes("two"), .ofDirectory)
    #expect(try names() == [".hidden", "one", "two"])
  }

  @Test("Creating a file fails if the name exists, even as a dangling link")
  func creatingNew() throws {
    try run(["ln", "-s", "nowhere", directory("link")])
    let root = try Descriptor(opening: Path(directory.path), .directory)
    #expect(throws: SystemError.self) {
      _ = try Descriptor(opening: Bytes("link"), in: root, .creatingNew(.ofFile))
    }
  }

  @Test("A file longer than one chunk is read to the end")
  func reading() throws {
    let text = String(repeating: "0123456789", count: 20_000)
    try directory.makeFile("long", text)
    let file = try Descriptor(opening: Path(directory("long")), .read)
    #expect(try file.readToEnd() == Bytes(text))
  }

  @Test("A path of 64 KiB is an error, not a crash")
  func longPath() {
    let path = Path(Bytes(repeating: UInt8(ascii: "x"), count: 1 << 16))
    #expect(throws: SystemError(.stat, path, .nameTooLong)) { try FileStatus.of(path) }
  }
}
