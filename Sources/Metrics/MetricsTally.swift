/// The totals of some entries of metrics.
public struct MetricsTally: Sendable {
  /// How many entries there are.
  public internal(set) var entries = 0
  /// How many of them succeeded.
  public internal(set) var passed = 0
  /// The numbers of each field, indexed by key; nil where no entry has a number.
  var fieldsByKey: [Histogram?] = []

  /// The share of entries that succeeded, 0 to 1; nil without entries.
  public var successRate: Double? { entries == 0 ? nil : Double(passed) / Double(entries) }
}
