/// Counts of numbers of any size and sign, from which percentiles are read, in memory that does not
/// grow with their count.
///
/// Every power of two is cut into 64 buckets, by the upper bits of the number itself (IEEE 754), so that a
/// percentile is wrong by at most one part in 128 (0.8 %). The source of the idea is Gil Tene's
/// HdrHistogram.
public struct Quantiles: Sendable {
  /// By how much a percentile can be wrong, as a share of it.
  public static let errorBound = 1.0 / 128
  static let columns = 64
  private static let sign: UInt64 = 1 << 63

  /// The powers of two that were met, each with its sign, in the order of their first number.
  private(set) var rows: [Int] = []
  /// The counts of the buckets, row by row.
  private(set) var counts: [UInt32] = []
  private var latestRow = 0
  /// Whether numbers were left out, as there was no room for more rows or in a bucket.
  private(set) var isIncomplete = false

  /// Whether all numbers are whole, so that percentiles are, too.
  var isWhole = true

  init() {}

  /// Counts one more number. A power of two that is new takes one of `rowsLeft`.
  @inline(__always)
  mutating func add(_ value: Double, _ rowsLeft: inout Int) {
    if isWhole, value.magnitude >= 0x1p53 || Double(Int64(value)) != value { isWhole = false }
    let bits = value.bitPattern
    // The order of these patterns is that of the numbers.
    let ordered = bits >> 63 == 0 ? bits ^ Self.sign : ~bits
    let row = Int(ordered >> 52)
    if latestRow >= rows.count || rows[latestRow] != row {
      guard find(row, &rowsLeft) else { return }
    }
    let column = Int(truncatingIfNeeded: ordered >> 46) & (Self.columns - 1)
    let place = latestRow &* Self.columns &+ column
    // A bucket that is full is one more reason why percentiles are not known.
    if counts[place] == .max { isIncomplete = true } else { counts[place] &+= 1 }
  }

  private mutating func find(_ row: Int, _ rowsLeft: inout Int) -> Bool {
    if let place = rows.firstIndex(of: row) {
      latestRow = place
      return true
    }
    guard rowsLeft > 0 else {
      isIncomplete = true
      return false
    }
    rowsLeft -= 1
    latestRow = rows.count
    rows.append(row)
    counts += [UInt32](repeating: 0, count: Self.columns)
    return true
  }

  /// Numbers were left out before.
  mutating func markIncomplete() { isIncomplete = true }

  /// The buckets that have numbers, from the lowest on: which one, and how many.
  var buckets: [(index: Int, count: UInt64)] {
    var buckets: [(index: Int, count: UInt64)] = []
    for (place, row) in rows.enumerated().sorted(by: { $0.element < $1.element }) {
      for column in 0..<Self.columns where counts[place * Self.columns + column] > 0 {
        buckets.append((row * Self.columns + column, UInt64(counts[place * Self.columns + column])))
      }
    }
    return buckets
  }

  /// Puts back what ``buckets`` gave; false when there is no such bucket, or no room.
  mutating func restore(_ index: Int, _ count: UInt64, _ rowsLeft: inout Int) -> Bool {
    // The first row and the last one are of what is not finite.
    guard (Self.columns..<(4_095 * Self.columns)).contains(index), count <= UInt32.max,
      find(index / Self.columns, &rowsLeft)
    else {
      return false
    }
    counts[latestRow * Self.columns + index % Self.columns] = UInt32(count)
    return true
  }

  /// The numbers that these shares (0 to 1, rising) of all do not exceed, within ``errorBound``; nil when
  /// numbers were left out, or there are none.
  func percentiles(_ shares: [Double]) -> [Double]? {
    if isIncomplete { return nil }
    let buckets = buckets
    let total = buckets.reduce(0) { $0 + $1.count }
    if total == 0 { return nil }
    var result: [Double] = []
    var seen: UInt64 = 0
    var place = 0
    for share in shares {
      let rank = max(UInt64((share * Double(total)).rounded(.up)), 1)
      while place < buckets.count, seen + buckets[place].count < rank {
        seen += buckets[place].count
        place += 1
      }
      result.append(middle(of: buckets[min(place, buckets.count - 1)].index))
    }
    return result
  }

  private func middle(of bucket: Int) -> Double {
    func number(_ ordered: UInt64) -> Double {
      let isNegative = ordered >> 63 == 0
      return Double(bitPattern: isNegative ? ~ordered : ordered ^ Self.sign)
    }
    let width: UInt64 = 1 << 46
    let low = UInt64(bucket) * width
    let (one, other) = (number(low), number(low + width - 1))
    // The numbers beside zero are too small to matter (below 1e-309); zero itself is frequent.
    if one == 0 || other == 0 { return 0 }
    let middle = one + (other - one) / 2
    if !isWhole { return middle }
    let whole = middle.rounded()
    // A bucket that is narrower than one holds one whole number at most.
    return (one...other).contains(whole) ? whole : one.rounded(.up)
  }
}
