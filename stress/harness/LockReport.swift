import JSON
import POSIX

/// The times of the lock that an allocator prints on standard error, as `topic-alloc --verbose` does:
///
///     waited 0.012 ms for the lock, held it for 0.045 ms, from 81.123456789 s to 81.123501789 s
struct LockReport {
  /// Nanoseconds that it waited.
  let waited: UInt64
  /// When it held the lock, in nanoseconds of the monotonic clock, or since the start of the run
  /// (``since(_:)``).
  let held: ClosedRange<UInt64>

  /// The report with times counted from `origin`, a moment of the monotonic clock that may lie
  /// before its zero; nil if it is from before `origin`.
  func since(_ origin: UInt64) -> LockReport? {
    let (from, to) = (held.lowerBound &- origin, held.upperBound &- origin)
    return from <= to && to < 1 << 62 ? LockReport(waited: waited, held: from...to) : nil
  }

  /// Nanoseconds for which it held the lock.
  var duration: UInt64 { held.upperBound - held.lowerBound }
}

extension LockReport {
  /// Reads the last line of standard error.
  init?(parsing error: Bytes) {
    // Of the words, only this one must be there; the rest are numbers.
    guard let line = error.split(separator: .newline).last,
      line.split(separator: UInt8(ascii: " ")).contains(where: { $0.elementsEqual(Self.mark) })
    else { return nil }
    // All numbers of the line, read as seconds.
    let numbers = line.split(separator: UInt8(ascii: " ")).compactMap { Self.nanoseconds($0) }
    guard numbers.count == 4, numbers[2] <= numbers[3] else { return nil }
    self.init(waited: numbers[0] / 1_000, held: numbers[2]...numbers[3])
  }

  /// Reads a line of the history.
  init?(_ entry: JSONValue) {
    guard let waited = entry["waited_ns"]?.integer, let from = entry["held_from_ns"]?.integer,
      let to = entry["held_to_ns"]?.integer, waited >= 0, from >= 0, to >= from
    else { return nil }
    self.init(waited: UInt64(waited), held: UInt64(from)...UInt64(to))
  }

  private static let mark = Bytes("held")

  /// A decimal number of seconds, in nanoseconds.
  private static func nanoseconds(_ digits: ArraySlice<UInt8>) -> UInt64? {
    let parts = digits.split(separator: UInt8(ascii: "."), omittingEmptySubsequences: false)
    guard parts.count == 2, (1...9).contains(parts[1].count), (1...9).contains(parts[0].count),
      let whole = UInt64(String(decoding: parts[0], as: UTF8.self)),
      var fraction = UInt64(String(decoding: parts[1], as: UTF8.self))
    else { return nil }
    for _ in parts[1].count..<9 { fraction *= 10 }
    return whole * 1_000_000_000 + fraction
  }
}
