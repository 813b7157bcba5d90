import Foundation
import POSIX
import TestSupport
import Testing

@Suite(.timeLimit(.minutes(20))) struct AtomicFileTests {
  let directory = TemporaryDirectory()

  @Test("A file is replaced as a whole, and no other file remains")
  func replace() throws {
    for text in ["one", "", String(repeating: "two", count: 50_000)] {
      try AtomicFile.write(Bytes(text), to: Path(directory("state.json")))
      #expect(try String(contentsOfFile: directory("state.json"), encoding: .utf8) == text)
    }
    #expect(try FileManager.default.contentsOfDirectory(atPath: directory.path) == ["state.json"])
  }

  @Test("If the file cannot be written, the error names it, and no file remains")
  func failure() throws {
    #expect(throws: SystemError.self) { try AtomicFile.write([], to: Path(directory("no/state"))) }
    try directory.makeDirectories("state/full")
    #expect(throws: SystemError.self) { try AtomicFile.write([], to: Path(directory("state"))) }
    #expect(try FileManager.default.contentsOfDirectory(atPath: directory.path) == ["state"])
  }
}
