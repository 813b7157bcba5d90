/// Counts of numbers of any size and sign, from which percentiles are read. The memory it takes
/// does not grow with their count.
///
/// The upper bits of a number (IEEE 754) select its bucket, 64 for each power of two, so a
/// percentile is off by at most one part in 128 (0.8 %). All else is exact. The idea is that of Gil
/// Tene's HdrHistogram.
public struct Histogram: Sendable {
  /// The largest error of a percentile, as a share of it.
  public static let errorBound = 1.0 / 128
  private static let columns = 64
  private static let sign: UInt64 = 1 << 63

  /// How many numbers were added.
  public internal(set) var count = 0
  /// Their sum; not finite if a double cannot hold it.
  public internal(set) var sum: Double = 0
  /// The first one; 0 if there is none.
  public internal(set) var first: Double = 0
  /// The lowest one; 0 if there is none.
  public internal(set) var lowest: Double = 0
  /// The highest one; 0 if there is none.
  public internal(set) var highest: Double = 0

  /// The powers of two that were seen, each with its sign, in order of appearance.
  private var rows: [Int] = []
  /// The counts of the buckets, row by row.
  private var counts: [UInt32] = []
  private var latestRow = 0
  /// Whether numbers are missing from the buckets because rows ran out or a bucket is full.
  var isIncomplete = false
  /// Whether all numbers are whole, so that percentiles are, too.
  var isWhole = true

  /// An empty histogram.
  public init() {}

  /// Their mean; 0 if there is none, nil if the sum is unknown.
  public var mean: Double? { count == 0 ? 0 : sum.isFinite ? sum / Double(count) : nil }

  // MARK: Adding

  /// Counts a finite number.
  public mutating func add(_ value: Double) {
    var rowsLeft = Int.max
    add(value, &rowsLeft)
  }

  /// Counts a finite number. A new power of two takes one of `rowsLeft`.
  @inline(__always)
  mutating func add(_ value: Double, _ rowsLeft: inout Int) {
    if count == 0 {
      (first, lowest, highest) = (value, value, value)
    } else if value < lowest {
      lowest = value
    } else if value > highest {
      highest = value
    }
    count &+= 1
    sum += value
    if isWhole, value.magnitude >= 0x1p53 || Double(Int64(value)) != value { isWhole = false }
    let bits = value.bitPattern
    // These patterns sort like the numbers.
    let ordered = bits >> 63 == 0 ? bits ^ Self.sign : ~bits
    let row = Int(ordered >> 52)
    if latestRow >= rows.count || rows[latestRow] != row {
      guard find(row, &rowsLeft) else { return }
    }
    let column = Int(truncatingIfNeeded: ordered >> 46) & (Self.columns - 1)
    let place = latestRow &* Self.columns &+ column
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

  // MARK: Percentiles

  /// The percentiles that reports show.
  public static let shownPercentiles = [("p50", 0.5), ("p95", 0.95), ("p99", 0.99)]

  /// ``shownPercentiles`` of these numbers, with their names; nil if they are unknown.
  public var shownPercentiles: [(name: String, value: Double?)] {
    let values = percentiles(Self.shownPercentiles.map(\.1))
    return Self.shownPercentiles.enumerated().map { ($1.0, values?[$0]) }
  }

  /// The numbers that these shares (0 to 1, rising) of all numbers do not exceed, within
  /// ``errorBound``; nil if there are no numbers, or some are missing from the buckets.
  public func percentiles(_ shares: [Double]) -> [Double]? {
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
      let middle = middle(of: buckets[min(place, buckets.count - 1)].index)
      result.append(min(max(middle, lowest), highest))
    }
    return result
  }

  /// How many numbers lie below the first of the rising `edges`, between two of them, and from the
  /// last one on. A number counts by the middle of its bucket.
  public func counts(between edges: [Double]) -> [Int] {
    var result = [Int](repeating: 0, count: edges.count + 1)
    var place = 0
    for bucket in buckets {
      let middle = middle(of: bucket.index)
      while place < edges.count, middle >= edges[place] { place += 1 }
      result[place] += Int(bucket.count)
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
    // The other numbers of this bucket are below 1e-309; zero itself is frequent.
    if one == 0 || other == 0 { return 0 }
    let middle = one + (other - one) / 2
    if !isWhole { return middle }
    let whole = middle.rounded()
    // A bucket narrower than one holds at most one whole number.
    return (one...other).contains(whole) ? whole : one.rounded(.up)
  }

  // MARK: Buckets

  /// The buckets that are not empty, from the lowest numbers up.
  var buckets: [(index: Int, count: UInt64)] {
    var buckets: [(index: Int, count: UInt64)] = []
    for (place, row) in rows.enumerated().sorted(by: { $0.element < $1.element }) {
      for column in 0..<Self.columns where counts[place * Self.columns + column] > 0 {
        buckets.append((row * Self.columns + column, UInt64(counts[place * Self.columns + column])))
      }
    }
    return buckets
  }

  /// Restores one of ``buckets``; false if there is no such bucket, or no row left for it.
  mutating func restore(_ index: Int, _ count: UInt64, _ rowsLeft: inout Int) -> Bool {
    // The first and the last row hold infinities and NaN.
    guard (Self.columns..<(4_095 * Self.columns)).contains(index), count <= UInt32.max,
      find(index / Self.columns, &rowsLeft)
    else {
      return false
    }
    counts[latestRow * Self.columns + index % Self.columns] = UInt32(count)
    return true
  }
}
