/// The sum of some entries of metrics.
public struct MetricsTally: Sendable {
  /// The numbers of one field.
  public struct Field: Sendable {
    /// In how many entries it is a number.
    public internal(set) var count = 0
    /// The sum of the numbers; not finite when it is beyond what a double can hold.
    public internal(set) var sum: Double = 0
    /// The first one; 0 when there is none.
    public internal(set) var first: Double = 0
    /// The lowest one; 0 when there is none.
    public internal(set) var lowest: Double = 0
    /// The highest one; 0 when there is none.
    public internal(set) var highest: Double = 0
    var quantiles = Quantiles()

    /// Their mean; 0 when there is none, nil when the sum is not known.
    public var mean: Double? { count == 0 ? 0 : sum.isFinite ? sum / Double(count) : nil }

    /// The numbers that these shares (0 to 1, rising) of all do not exceed, within
    /// ``Quantiles/errorBound``; nil when that is not known, as the numbers span too much.
    public func percentiles(_ shares: [Double]) -> [Double]? {
      quantiles.percentiles(shares)?.map { min(max($0, lowest), highest) }
    }

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
      quantiles.add(value, &rowsLeft)
    }
  }

  /// How many entries there are.
  public internal(set) var entries = 0
  /// How many of them have succeeded.
  public internal(set) var passed = 0
  /// By the number of its key; nil where no entry has a number there.
  var fieldsByKey: [Field?] = []

  /// The share of entries that succeeded, 0 to 1; nil without entries.
  public var successRate: Double? { entries == 0 ? nil : Double(passed) / Double(entries) }
}
