import Foundation
import JSON
import POSIX
import RunState
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

  @Test("Lines are read whole, across blocks, empty ones left out, a cut one told")
  func reading() throws {
    #expect(try lines("") == [] && lines("\n\n") == [])
    #expect(try lines("a\n\nb\nc") == ["a", "b", "c…"])
    let long = String(repeating: "x", count: 100_000)
    #expect(try lines("\(long)\n\(long)1\n") == [long, long + "1"])
  }

  @Test("A line that is too long comes once, without its text, and the next one is read")
  func tooLong() throws {
    let long = String(repeating: "x", count: LineFile.longestLine + 1)
    #expect(try lines("a\n\(long)\nb\n") == ["a", "long", "b"])
    #expect(try lines("\(long)\(long)") == ["long"])
    #expect(try lines("\(long)\nb\n\(long)") == ["long", "b", "long"])
    let longest = String(long.dropLast())
    #expect(try lines("\(longest)\n\(longest)") == [longest, longest + "…"])
  }

  @Test("No line that is too long to be read is written")
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

  @Test("Text is cut into the same lines, however it is cut into blocks")
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

  @Test("A last line that was cut is ended before the next one is appended")
  func cut() throws {
    try directory.makeFile("log", "{\"a\":1}\n{\"a\":")
    try LineFile(opening: Path(directory("log"))).append(Bytes("{\"a\":2}\n"))
    #expect(
      try String(contentsOfFile: directory("log"), encoding: .utf8)
        == "{\"a\":1}\n{\"a\":\n{\"a\":2}\n")
  }
}

@Suite(.timeLimit(.minutes(20))) struct RunDirectoryTests {
  let directory = TemporaryDirectory()

  @Test("Runs of one second have ids of their own, which sort in their order")
  func ids() throws {
    let time = WallTime(secondsSince1970: 1_764_405_000)
    let paths = try (0..<12).map { _ in
      try RunDirectory.create(in: Path(directory("a/runs")), at: time)
    }
    let names = paths.map { String(decoding: $0.lastComponent, as: UTF8.self) }
    #expect(names[0] == "20251129T083000Z-001" && names[11] == "20251129T083000Z-012")
    #expect(names == names.sorted() && Set(names).count == 12)
  }

  @Test("A file in the place of the directory is an error that names it")
  func file() throws {
    try directory.makeFile("runs")
    #expect { try RunDirectory.create(in: Path(directory("runs"))) } throws: { error in
      (error as? SystemError)?.errno == .notDirectory
    }
  }
}

@Suite(.timeLimit(.minutes(20))) struct HistogramTests {
  @Test("Percentiles are right within one part in 128, extremes and mean exactly")
  func percentiles() {
    var random = seededRandom()
    for _ in 0..<20 {
      let bound = UInt64.random(in: 1...(1 << 40), using: &random)
      let values = (0..<5_000).map { _ in UInt64.random(in: 0...bound, using: &random) }.sorted()
      var histogram = Histogram()
      for value in values { histogram.add(value) }
      for share in [0, 0.01, 0.5, 0.95, 0.99, 1] {
        let exact = values[max(Int((share * 5_000).rounded(.up)), 1) - 1]
        let error = abs(Double(histogram.percentile(share)) - Double(exact))
        #expect(error <= Double(exact) / 128, "\(share) of values up to \(bound)")
      }
      #expect(histogram.lowest == values.first && histogram.highest == values.last)
      #expect(
        histogram.count == 5_000 && histogram.counts(between: [bound / 2]).reduce(0, +) == 5_000)
    }
  }

  @Test("Nothing, the lowest and the highest values are counted")
  func extremes() {
    var histogram = Histogram()
    #expect(histogram.percentile(0.5) == 0 && histogram.mean == 0)
    histogram.add(.max)
    #expect(histogram.percentile(0.5) == .max)
    histogram.add(0)
    #expect(histogram.percentile(0.5) == 0 && histogram.counts(between: [1]) == [1, 1])
  }
}
