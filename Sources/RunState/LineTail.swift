import JSON
import POSIX

/// The last lines of a log. What it costs depends on what it returns, not on the size of the log: blocks
/// are read from the end until there are enough lines in them, and joined once.
public struct LineTail: Sendable {
  /// The last lines that are JSON values, the latest at the end, without newlines.
  public let lines: [Bytes]
  /// How many lines between and behind them were passed over: torn, or no JSON.
  public let skipped: Int
  /// Whether there could be more, but for the bound.
  public let isBounded: Bool
  /// Where the part that was read ends: what comes later begins here.
  public let end: UInt64

  private static let block = 1 << 14

  /// The last `count` lines of `file`, looked for in its last `bound` bytes.
  public init(_ count: Int, of file: borrowing Descriptor, bound: UInt64) throws(SystemError) {
    let size = try file.status().size
    var blocks: [Bytes] = []
    var start = size
    var newlines = 0
    var needed = count + 1
    var found: (lines: [Bytes], skipped: Int) = ([], 0)
    while true {
      let isAll = start == 0 || size - start >= bound
      if newlines >= needed || isAll {
        let text = Bytes(blocks.reversed().joined())
        found = Self.lastLines(count, of: text, isWhole: start == 0)
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
    end = size
  }

  /// The first line of a part counts only when the part begins at the beginning of the log; a last one
  /// without its newline is still being written, or was cut by a crash.
  private static func lastLines(
    _ count: Int, of text: Bytes, isWhole: Bool
  ) -> (lines: [Bytes], skipped: Int) {
    var lines: [Bytes] = []
    var skipped = 0
    var end = text.endIndex
    if let last = text.last, last != .newline {
      skipped += 1
      end = text.lastIndex(of: .newline).map { $0 + 1 } ?? text.startIndex
    }
    while lines.count < count, end > 0 {
      let before = text[..<(end - 1)].lastIndex(of: .newline)
      if before == nil, !isWhole { break }
      let line = text[((before ?? -1) + 1)..<(end - 1)]
      // An empty one is what two writers leave that end the same torn line.
      if isEvent(line) { lines.append(Bytes(line)) } else if !line.isEmpty { skipped += 1 }
      end = (before ?? -1) + 1
    }
    return (lines.reversed(), skipped)
  }

  /// Whether a line is a JSON value, and so UTF-8.
  public static func isEvent(_ line: ArraySlice<UInt8>) -> Bool {
    (try? JSONValue(parsing: line)) != nil
  }
}
