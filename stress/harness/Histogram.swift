/// Counts of values that span many orders of magnitude, in constant memory.
///
/// Every power of two is cut into 64 buckets, so that a value that is read back is wrong by at most
/// one part in 128 (0.8 %); values below 64 are exact, and so are count, sum, lowest and highest. The
/// source of the idea is Gil Tene's HdrHistogram.
struct Histogram: Sendable {
  private static let bits = 6
  private static let perOctave = 1 << bits

  private var counts = [Int](repeating: 0, count: (64 - bits + 1) << bits)
  /// How many values were added.
  private(set) var count = 0
  /// The sum of the values.
  private(set) var sum: Double = 0
  /// The lowest value; 0 when there is none.
  private(set) var lowest: UInt64 = 0
  /// The highest value; 0 when there is none.
  private(set) var highest: UInt64 = 0

  /// A histogram of nothing.
  init() {}

  /// Their mean; 0 when there is none.
  var mean: Double { count == 0 ? 0 : sum / Double(count) }

  /// Counts one more value.
  mutating func add(_ value: UInt64) {
    counts[Self.bucket(of: value)] += 1
    lowest = count == 0 ? value : min(lowest, value)
    highest = max(highest, value)
    sum += Double(value)
    count += 1
  }

  /// The value that `share` (0 to 1) of all values do not exceed, within 0.8 %; 0 when there is none.
  func percentile(_ share: Double) -> UInt64 {
    let rank = max(Int((share * Double(count)).rounded(.up)), 1)
    var seen = 0
    for (bucket, number) in counts.enumerated() where number > 0 {
      seen += number
      if seen >= rank {
        let range = Self.range(of: bucket)
        let middle = range.lowerBound + (range.upperBound - range.lowerBound) / 2
        return min(max(middle, lowest), highest)
      }
    }
    return 0
  }

  /// How many values lie in each of the ranges that `edges`, rising, cut: below the first, between
  /// two, from the last on. Values count by the middle of their bucket.
  func counts(between edges: [UInt64]) -> [Int] {
    var result = [Int](repeating: 0, count: edges.count + 1)
    var place = 0
    for (bucket, number) in counts.enumerated() where number > 0 {
      let range = Self.range(of: bucket)
      let middle = range.lowerBound + (range.upperBound - range.lowerBound) / 2
      while place < edges.count, middle >= edges[place] { place += 1 }
      result[place] += number
    }
    return result
  }

  private static func bucket(of value: UInt64) -> Int {
    guard value >= perOctave else { return Int(value) }
    let exponent = 63 - value.leadingZeroBitCount
    let mantissa = Int(value >> (exponent - bits)) & (perOctave - 1)
    return (exponent - bits + 1) << bits + mantissa
  }

  /// The values of a bucket: from the lower bound on, below the upper one.
  private static func range(of bucket: Int) -> Range<UInt64> {
    guard bucket >= perOctave else { return UInt64(bucket)..<UInt64(bucket) + 1 }
    let shift = bucket >> bits - 1
    let lower = UInt64(perOctave + bucket & (perOctave - 1)) << UInt64(shift)
    let (upper, overflow) = lower.addingReportingOverflow(1 << UInt64(shift))
    return lower..<(overflow ? .max : upper)
  }
}
