import POSIX

/// Splits text that arrives in blocks into lines. It looks at each byte once, and keeps only the
/// incomplete line, up to ``LineFile/longestLine`` bytes of it.
public struct LineSplitter: Sendable {
  /// A line of the text.
  public enum Line {
    /// A line without its newline.
    case text(ArraySlice<UInt8>)
    /// A line that is too long: reported once, as soon as it is. The rest of it is skipped.
    case tooLong
  }

  /// The incomplete line so far, unless it is too long.
  public private(set) var rest = Bytes()
  /// Whether the incomplete line is too long.
  public private(set) var isTooLong = false
  /// The length of the incomplete line so far.
  public private(set) var length: UInt64 = 0

  /// Begins with the first line, or in the middle of one that is too long.
  public init(inLongLine isTooLong: Bool = false) {
    self.isTooLong = isTooLong
  }

  /// Removes the next line from the front of `block` and returns it. If no line ends in `block`,
  /// takes what is left of it and returns nil: the next block is needed.
  public mutating func next(in block: inout ArraySlice<UInt8>) -> Line? {
    while !block.isEmpty {
      let end = block.firstIndex(of: .newline)
      let part = block[..<(end ?? block.endIndex)]
      block = block[(end.map { $0 + 1 } ?? block.endIndex)...]
      length += UInt64(part.count)
      let becomesTooLong = !isTooLong && length > LineFile.longestLine
      if becomesTooLong { (rest, isTooLong) = ([], true) }
      if !isTooLong, end == nil || !rest.isEmpty { rest += part }
      if end != nil {
        let line = rest.isEmpty ? part : rest[...]
        let isText = !isTooLong
        (rest, isTooLong, length) = ([], false, 0)
        if isText { return .text(line) }
      }
      if becomesTooLong { return .tooLong }
    }
    return nil
  }
}
