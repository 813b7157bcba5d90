import Foundation
import POSIX
import Runs
import TestSupport
import Testing

@Suite(.timeLimit(.minutes(20))) struct LineFileTests {
  let directory = TemporaryDirectory()

  private func lines(_ text: String) throws -> [String] {
    try directory.makeFile("log", text)
    var lines: [String] = []
    try LineFile(opening: Path(directory("log"))).forEachLine { line, isCut in
      lines.append(
        (line.map { String(decoding: $0, as: UTF8.self) } ?? "long") + (isCut ? "…" : ""))
    }
    return lines
  }

  @Test("Lines are read whole across blocks, empty ones skipped, and a cut one reported")
  func reading() throws {
    #expect(try lines("") == [] && lines("\n\n") == [])
    #expect(try lines("a\n\nb\nc") == ["a", "b", "c…"])
    let long = String(repeating: "x", count: 100_000)
    #expect(try lines("\(long)\n\(long)1\n") == [long, long + "1"])
  }

  @Test("A line that is too long is reported once, without its text, and the next one is read")
  func tooLong() throws {
    let long = String(repeating: "x", count: LineFile.longestLine + 1)
    #expect(try lines("a\n\(long)\nb\n") == ["a", "long", "b"])
    #expect(try lines("\(long)\(long)") == ["long"])
    #expect(try lines("\(long)\nb\n\(long)") == ["long", "b", "long"])
    let longest = String(long.dropLast())
    #expect(try lines("\(longest)\n\(longest)") == [longest, longest + "…"])
  }

  @Test("A line that is too long to be read is not written")
  func tooLongToWrite() throws {
    let longest = Bytes(repeating: UInt8(ascii: "1"), count: LineFile.longestLine)
    let file = try LineFile(opening: Path(directory("log")))
    for lines in [longest + Bytes("1\n"), Bytes("1\n") + longest + Bytes("1\n2\n")] {
      #expect { try file.append(lines) } throws: { ($0 as? SystemError)?.errno == .fileTooLarge }
    }
    #expect(try file.size() == 0)
    try file.append(longest + Bytes("\n1\n"))
    #expect(try file.size() == LineFile.longestLine + 3)
  }

  @Test("Text is split into the same lines, however it is split into blocks")
  func blocks() {
    for _ in 0..<500 {
      let pieces = ["a", "bc", "\n"]
      let text = Bytes(
        (0..<Int.random(in: 0...60)).map { _ in pieces.randomElement() ?? "" }.joined())
      var splitter = LineSplitter()
      var lines: [ArraySlice<UInt8>] = []
      var rest = text[...]
      while !rest.isEmpty {
        var block = rest.prefix(.random(in: 1...9))
        rest = rest.dropFirst(block.count)
        while let line = splitter.next(in: &block) {
          if case .text(let line) = line { lines.append(line) }
        }
      }
      #expect(splitter.length == splitter.rest.count)
      #expect(
        (lines + [splitter.rest[...]]).elementsEqual(
          text.split(separator: .newline, omittingEmptySubsequences: false), by: ==), "\(text)")
    }
  }

  @Test("A cut last line is ended before the next line is appended")
  func cut() throws {
    try directory.makeFile("log", "{\"a\":1}\n{\"a\":")
    try LineFile(opening: Path(directory("log"))).append(Bytes("{\"a\":2}\n"))
    #expect(
      try String(contentsOfFile: directory("log"), encoding: .utf8)
        == "{\"a\":1}\n{\"a\":\n{\"a\":2}\n")
  }
}
