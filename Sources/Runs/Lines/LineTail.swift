import JSON
import POSIX

/// The last lines of a log.
///
/// The cost depends on these lines, not on the size of the log. Blocks are read from the end until
/// they hold enough lines, and the lines are read when they are wanted. Each byte is looked at a
/// fixed number of times, and one block and one line are kept in memory.
public struct LineTail: Sendable {
  /// The number of lines found that are JSON values. A last line without its newline is one of them
  /// if nothing else can be missing.
  public private(set) var count = 0
  /// The number of lines between and after them that were skipped: torn, or not JSON.
  public private(set) var skipped = 0
  /// Whether only the bound kept more lines from being found.
  public let isBounded: Bool
  /// Where to continue reading: at the end, or at the beginning of an incomplete last line.
  public private(set) var end: UInt64
  /// Whether that is in the middle of a line that is already too long.
  public private(set) var endsInLongLine = false

  private let size: UInt64
  /// Where the lines begin that were not read yet.
  private var start: UInt64
  private var splitter = LineSplitter()

  private static let block: UInt64 = 1 << 16

  /// Finds the last `most` lines of `file` in its last `bound` bytes.
  public init(_ most: Int, of file: borrowing Descriptor, bound: UInt64) throws(SystemError) {
    size = try file.status().size
    (start, end) = (size, size)
    let limit = size - min(bound, size)
    // Where the blocks that were read begin, and where the line ends whose beginning is looked for.
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

  /// The last line of the file, which begins before `offset`, unless it is empty. The search for
  /// its beginning stops once the line is too long.
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

  /// Calls `body` with each of the lines that the next block completes, without its newline.
  ///
  /// - Returns: False if all lines were read before.
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
    // The last line lacks nothing but its newline.
    if start == size, end == size, !splitter.rest.isEmpty { body(splitter.rest[...]) }
    return true
  }

  /// Whether the line is a JSON value, and therefore UTF-8.
  public static func isEvent(_ line: ArraySlice<UInt8>) -> Bool {
    (try? JSONValue.check(line)) != nil
  }

  /// What the search from the end towards the beginning found.
  private struct Found {
    let most: Int
    var count = 0
    var skipped = 0
    /// Whether the text after the last newline was looked at.
    var hasLast = false
    /// An incomplete last line: it is still being written, or a crash cut it.
    var cut: Range<UInt64>?
    var start: UInt64?

    init(_ most: Int) {
      self.most = most
    }

    var needsMore: Bool { !hasLast || count < most }

    /// Adds the line before the others: its text, or what the file has there.
    mutating func add(
      _ range: Range<UInt64>, _ text: ArraySlice<UInt8>?, of file: borrowing Descriptor
    ) throws(SystemError) {
      let isLast = !hasLast
      hasLast = true
      // Two writers that end the same torn line leave an empty one.
      if range.isEmpty { return }
      var isEvent = false
      if range.count <= LineFile.longestLine {
        var line = text ?? []
        if text == nil { line = try file.read(at: range.lowerBound, upTo: range.count)[...] }
        isEvent = LineTail.isEvent(line)
        // A number at the end may lack digits.
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
