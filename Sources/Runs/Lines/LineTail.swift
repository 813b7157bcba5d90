import JSON
import POSIX

/// The last lines of a log. The cost depends on the lines found, not on the size of the log: it reads blocks
/// from the end until they hold enough lines, and reads the lines when they are wanted. It looks at each byte
/// a fixed number of times, and keeps one block and one line in memory.
public struct LineTail: Sendable {
  /// How many lines were found that are JSON values. A last line that lacks its newline is one of them when
  /// nothing can be missing but that.
  public private(set) var count = 0
  /// How many lines between and behind them were passed over: torn, or no JSON.
  public private(set) var skipped = 0
  /// Whether there could be more, but for the bound.
  public let isBounded: Bool
  /// Where to read on: at the end, or at the beginning of a last line that is not complete.
  public private(set) var end: UInt64
  /// Whether that is in the middle of a line, which is too long already.
  public private(set) var endsInLongLine = false

  private let size: UInt64
  /// Where the first of the lines begins, and later what has not been read of them.
  private var start: UInt64
  private var splitter = LineSplitter()

  private static let block: UInt64 = 1 << 16

  /// The last `most` lines of `file`, looked for in its last `bound` bytes.
  public init(_ most: Int, of file: borrowing Descriptor, bound: UInt64) throws(SystemError) {
    size = try file.status().size
    (start, end) = (size, size)
    let limit = size - min(bound, size)
    // Where what was read begins, and where the line ends whose beginning is looked for.
    var (next, lineEnd) = (size, size)
    var found = Found(most)
    while next > limit, found.needsMore {
      let blockEnd = next
      next -= min(Self.block, next - limit)
      let block = try file.read(at: next, upTo: Int(blockEnd - next))
      var rest = block[...]
      while found.needsMore, let newline = rest.lastIndex(of: .newline) {
        let lineStart = next + UInt64(newline) + 1
        try found.add(
          lineStart..<lineEnd, lineEnd > blockEnd ? nil : rest[(newline + 1)...], of: file)
        (lineEnd, rest) = (lineStart - 1, rest[..<newline])
      }
    }
    if next == 0, found.needsMore { try found.add(0..<lineEnd, nil, of: file) }
    isBounded = found.count < most && limit > 0
    (count, skipped) = (found.count, found.skipped)
    start = found.start ?? size
    var cut = found.cut
    if !found.hasLast {
      cut = try Self.lastLine(of: file, size, next)
      if cut != nil { skipped += 1 }
    }
    if let cut {
      endsInLongLine = cut.count > LineFile.longestLine
      end = endsInLongLine ? size : cut.lowerBound
    }
  }

  /// The last line of the file, which begins before `offset`, unless it is empty. Of one that is too long,
  /// the beginning is not looked for.
  private static func lastLine(
    of file: borrowing Descriptor, _ size: UInt64, _ offset: UInt64
  ) throws(SystemError) -> Range<UInt64>? {
    var start = offset
    while start > 0, size - start <= LineFile.longestLine {
      let next = start - min(block, start)
      let text = try file.read(at: next, upTo: Int(start - next))
      if let newline = text.lastIndex(of: .newline) {
        start = next + UInt64(newline) + 1
        break
      }
      start = next
    }
    return start < size ? start..<size : nil
  }

  /// Calls `body` with those of the lines that are in the next block, newlines left out. Returns false
  /// when all have been read.
  public mutating func readNext(
    of file: borrowing Descriptor, _ body: (ArraySlice<UInt8>) -> Void
  ) throws(SystemError) -> Bool {
    let block = try file.read(at: start, upTo: Int(min(Self.block, size - start)))
    if block.isEmpty { return false }
    start += UInt64(block.count)
    var rest = block[...]
    while let line = splitter.next(in: &rest) {
      if case .text(let text) = line, Self.isEvent(text) { body(text) }
    }
    // It lacks its newline, and nothing else.
    if start == size, end == size, !splitter.rest.isEmpty { body(splitter.rest[...]) }
    return true
  }

  /// Whether the line is a JSON value, and so UTF-8.
  public static func isEvent(_ line: ArraySlice<UInt8>) -> Bool {
    (try? JSONValue.check(line)) != nil
  }

  /// What is found on the way from the end to the beginning.
  private struct Found {
    let most: Int
    var count = 0
    var skipped = 0
    /// Whether what stands behind the last newline is known.
    var hasLast = false
    /// A last line that is not complete: it is still being written, or was cut by a crash.
    var cut: Range<UInt64>?
    var start: UInt64?

    init(_ most: Int) {
      self.most = most
    }

    var needsMore: Bool { !hasLast || count < most }

    /// Looks at the line before the others, at its text or at what the file has there.
    mutating func add(
      _ range: Range<UInt64>, _ text: ArraySlice<UInt8>?, of file: borrowing Descriptor
    ) throws(SystemError) {
      let isLast = !hasLast
      hasLast = true
      // An empty one is what two writers leave that end the same torn line.
      if range.isEmpty { return }
      var isEvent = false
      if range.count <= LineFile.longestLine {
        var line = text ?? []
        if text == nil { line = try file.read(at: range.lowerBound, upTo: range.count)[...] }
        isEvent = LineTail.isEvent(line)
        // Of a number at the end, digits can be missing.
        if isLast, let last = line.last, (0x30...0x39).contains(last) { isEvent = false }
      }
      if isEvent {
        if count < most { (count, start) = (count + 1, range.lowerBound) }
        return
      }
      skipped += 1
      if isLast { cut = range }
    }
  }
}
