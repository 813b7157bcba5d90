import JSON
import POSIX

/// What a metrics file says as a whole, gathered in one pass and constant memory: it holds one JSON
/// object a line, and `status` tells whether what it is about succeeded.
public struct MetricsSummary: Sendable {
  /// A field that holds numbers.
  public struct Field: Sendable {
    /// In how many entries it is a number.
    public fileprivate(set) var count = 0
    /// The sum of the numbers.
    public fileprivate(set) var sum: Double = 0
    /// The number in the first entry that has one.
    public fileprivate(set) var first: Double = 0
    /// The last ones, ten at most, the latest at the end.
    public fileprivate(set) var latest: [Double] = []

    /// Their mean.
    public var mean: Double { count == 0 ? 0 : sum / Double(count) }
    /// The middle one of the last ten, or the mean of the middle two; 0 when there is none.
    public var medianOfLatest: Double {
      guard !latest.isEmpty else { return 0 }
      let sorted = latest.sorted()
      let middle = sorted.count / 2
      return sorted.count % 2 == 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2
    }

    fileprivate mutating func add(_ value: Double) {
      if count == 0 { first = value }
      count += 1
      sum += value
      if latest.count == MetricsSummary.recent { latest.removeFirst() }
      latest.append(value)
    }
  }

  /// How many of the latest entries are set against the whole.
  public static let recent = 10
  /// Fields beyond this number are not summed up.
  public static let mostFields = 256

  /// How many entries there are.
  public private(set) var entries = 0
  /// How many of them have the status `passed`.
  public private(set) var passed = 0
  /// How many have every one of the required fields.
  public private(set) var complete = 0
  /// Lines that are no JSON object: cut by a crash, or spoilt.
  public private(set) var unreadable = 0
  /// The fields that hold numbers, in the order of their first appearance.
  public private(set) var fields: [(name: String, field: Field)] = []

  private let required: [String]

  /// A summary of nothing; an entry is complete when it has all `required` fields.
  public init(required: [String]) {
    self.required = required
  }

  /// The share of entries that passed, 0 to 1; nil without entries.
  public var successRate: Double? { entries == 0 ? nil : Double(passed) / Double(entries) }

  /// The share of complete entries, 0 to 1; nil without entries.
  public var completeness: Double? { entries == 0 ? nil : Double(complete) / Double(entries) }

  /// The numbers of one field; nil when it never held one.
  public subscript(name: String) -> Field? { fields.first { $0.name == name }?.field }

  /// Takes in every line of `file` that is an object and for which `isIncluded` is true.
  public mutating func add(
    _ file: borrowing LineFile, where isIncluded: (JSONValue) -> Bool = { _ in true }
  ) throws(SystemError) {
    try file.forEachLine { line, _ in
      guard let entry = try? JSONValue(parsing: line), entry.members != nil else {
        unreadable += 1
        return
      }
      if isIncluded(entry) { add(entry) }
    }
  }

  private mutating func add(_ entry: JSONValue) {
    entries += 1
    if entry["status"]?.string == "passed" { passed += 1 }
    if required.allSatisfy({ entry[$0] != nil && entry[$0] != .null }) { complete += 1 }
    for member in entry.members ?? [] {
      guard let value = member.value.double else { continue }
      if let place = fields.firstIndex(where: { $0.name == member.key }) {
        fields[place].field.add(value)
      } else if fields.count < Self.mostFields {
        var field = Field()
        field.add(value)
        fields.append((member.key, field))
      }
    }
  }
}
