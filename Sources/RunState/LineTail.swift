import JSON
import POSIX

/// The last lines of a log. What it costs depends on what it returns, not on the size of the log: blocks
/// are read from the end until there are enough lines in them, and joined once.
public struct LineTail: Sendable {
  /// The last lines that are JSON values, the latest at the end, without newlines. A last line that
  /// lacks its newline is one of them when nothing can be missing but that.
  public let lines: [Bytes]
  /// How many lines between and behind them were passed over: torn, or no JSON.
  public let skipped: Int
  /// Whether there could be more, but for the bound.
  public let isBounded: Bool
  /// Where the next line begins: at the end, or at the beginning of a last line that is not complete.
  public let end: UInt64

  private static let block = 1 << 14

  /// The last `count` lines of `file`, looked for in its last `bound` bytes.
  public init(_ count: Int, of file: borrowing Descriptor, bound: UInt64) throws(SystemError) {
    let size = try file.status().size
    var blocks: [Bytes] = []
    var start = size
    var newlines = 0
    var needed = count + 1
    var found = Lines()
    while true {
      let isAll = start == 0 || size - start >= bound
      if newlines >= needed || isAll {
        let text = Bytes(blocks.reversed().joined())
        found = Lines(count, of: text, isWhole: start == 0)
        if found.lines.count == count || isAll { break }
        needed = newlines + max(count - found.lines.count, count)
      }
      let next =
        start
        - min(UInt64(Self.block) << UInt64(min(blocks.count, 6)), start, bound - (size - start))
      let block = try file.read(at: next, upTo: Int(start - next))
      newlines += block.count { $0 == .newline }
      blocks.append(block)
      start = next
    }
    lines = found.lines
    skipped = found.skipped
    isBounded = lines.count < count && start > 0
    end = try found.isCut ? Self.beginningOfLine(before: size, in: file) : size
  }

  /// Where the line begins that the byte before `offset` belongs to.
  private static func beginningOfLine(
    before offset: UInt64, in file: borrowing Descriptor
  ) throws(SystemError) -> UInt64 {
    var start = offset
    while start > 0 {
      let next = start - min(UInt64(block), start)
      let text = try file.read(at: next, upTo: Int(start - next))
      if let newline = text.lastIndex(of: .newline) { return next + UInt64(newline) + 1 }
      start = next
    }
    return 0
  }

  /// The last lines of a part of the log.
  private struct Lines {
    var lines: [Bytes] = []
    var skipped = 0
    /// Whether the last line is not complete: it is still being written, or was cut by a crash.
    var isCut = false

    init() {}

    /// The first line of a part counts only when the part begins at the beginning of the log.
    init(_ count: Int, of text: Bytes, isWhole: Bool) {
      var end = text.endIndex
      if let last = text.last, last != .newline {
        let newline = text.lastIndex(of: .newline)
        end = newline.map { $0 + 1 } ?? text.startIndex
        // Of a number, digits can be missing.
        let isComplete = !(0x30...0x39).contains(last) && (newline != nil || isWhole)
        if isComplete, let event = event(in: text[end...]) {
          if count > 0 { lines.append(event) }
        } else {
          skipped += 1
          isCut = true
        }
      }
      while lines.count < count, end > 0 {
        let before = text[..<(end - 1)].lastIndex(of: .newline)
        if before == nil, !isWhole { break }
        let line = text[((before ?? -1) + 1)..<(end - 1)]
        // An empty one is what two writers leave that end the same torn line.
        if let event = event(in: line) {
          lines.append(event)
        } else if !line.isEmpty {
          skipped += 1
        }
        end = (before ?? -1) + 1
      }
      lines.reverse()
    }
  }

  /// The line when it is a JSON value, and so UTF-8, without a byte order mark; else nil.
  public static func event(in line: ArraySlice<UInt8>) -> Bytes? {
    let text = line.withoutByteOrderMark
    return (try? JSONValue(parsing: text)) == nil ? nil : Bytes(text)
  }
}
