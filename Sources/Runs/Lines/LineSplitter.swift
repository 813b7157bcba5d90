import POSIX

/// Cuts text that comes block by block into lines. Each byte is looked at once, and only the line that is
/// not complete is kept, up to ``LineFile/longestLine`` bytes of it.
public struct LineSplitter: Sendable {
  /// What a line is.
  public enum Line {
    /// A line, its newline left out.
    case text(ArraySlice<UInt8>)
    /// A line that is too long. This comes as soon as it is, and once; the rest is passed over.
    case tooLong
  }

  /// What there is of the line that is not complete, unless it is too long.
  public private(set) var rest = Bytes()
  /// Whether the line that is not complete is too long.
  public private(set) var isTooLong = false
  /// The length of the line that is not complete.
  public private(set) var length: UInt64 = 0

  /// Begins with the first line, or in the middle of one that is too long.
  public init(inLongLine isTooLong: Bool = false) {
    self.isTooLong = isTooLong
  }

  /// Takes the next line off the front of `block`, or, when none ends in it, all that is left. Nil means
  /// that the next block is needed.
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
