import POSIX
import Runs

/// The totals of metrics, gathered in one pass and in bounded memory. Metrics are JSON objects, one
/// per line, whose `status` says whether something succeeded.
public struct MetricsSummary: LineReceiver, Sendable {
  /// Which entries count, and what is gathered from them.
  public struct Question: Hashable, Sendable {
    /// The key that groups the entries by its values; nil for no groups.
    public var by: String?
    /// The conditions that an entry has to meet to be counted.
    public var conditions: [Condition]
    /// The keys that a complete entry has, with values other than null.
    public var required: [String]
    /// The values of `status` that mean success.
    public var success: [String]
    /// How many of the latest values of each field to keep.
    public var latest: Int

    /// A key and the value that an entry must have for it.
    public struct Condition: Hashable, Sendable {
      /// The key.
      public let key: String
      /// The value as text; a number as it is spelled.
      public let value: String

      /// Requires `value` for `key`.
      public init(_ key: String, _ value: String) {
        (self.key, self.value) = (key, value)
      }
    }

    /// The values of `status` that mean success by default.
    public static let usualSuccess = ["passed", "success", "succeeded", "ok", "completed", "done"]

    /// A question about all entries, unless `conditions` exclude some.
    public init(
      by: String? = nil, where conditions: [Condition] = [], required: [String] = [],
      success: [String] = usualSuccess, latest: Int = 0
    ) {
      (self.by, self.conditions, self.required) = (by, conditions, required)
      (self.success, self.latest) = (success, latest)
    }
  }

  /// The largest number of groups; all others are counted as one, "…".
  public static let mostGroups = 1_000
  /// The longest value of a group, in bytes; longer ones are counted as "…".
  static let longestGroup = 4_096
  private static let others = Bytes("…")
  /// The longest baseline, in bytes: every update of aggregates stores it.
  static let longestBaseline = 1 << 20
  /// The memory of all histograms together, in rows of 256 bytes.
  static let mostRows = 40_000
  /// The largest number of fields, summed over all groups.
  static let mostFields = 20_000

  /// Which entries count.
  public let question: Question
  /// The totals of all entries.
  public internal(set) var all = MetricsTally()
  /// The totals for each value of the grouping key, in order of appearance.
  public internal(set) var groups: [(value: Bytes, tally: MetricsTally)] = []
  /// How many entries have every required key.
  public internal(set) var complete = 0
  /// How many entries have each of the required keys.
  public internal(set) var present: [Int]
  /// How many lines are not JSON objects: cut by a crash, or damaged.
  public internal(set) var unreadable = 0
  /// The first complete entry that is short enough, as its line spells it.
  public internal(set) var baseline: Bytes?
  /// The totals of all entries up to the baseline.
  var untilBaseline = MetricsTally()
  /// The latest values of each field, indexed by key, oldest first.
  var latestValues: [[Double]] = []

  var scanner: MetricsScanner
  var rowsLeft = mostRows
  var fieldsLeft = mostFields
  /// Whether an entry had each of the keys that the question names.
  private var isMet: [Bool]
  private var groupsByValue: [Bytes: Int] = [:]
  private var latestGroup = 0
  private let success: [Bytes]
  private let requiredKeys: [Int]
  private let byKey: Int?
  private let conditions: [(key: Int, value: Bytes)]

  /// An empty summary.
  public init(_ question: Question) {
    self.question = question
    present = Array(repeating: 0, count: question.required.count)
    success = question.success.map { Bytes($0) }
    var keys = [Bytes("status")]
    func number(of name: String) -> Int {
      if let known = keys.firstIndex(of: Bytes(name)) { return known }
      keys.append(Bytes(name))
      return keys.count - 1
    }
    requiredKeys = question.required.map(number)
    byKey = question.by.map(number)
    conditions = question.conditions.map { (number(of: $0.key), Bytes($0.value)) }
    scanner = MetricsScanner(keys)
    isMet = keys.map { _ in false }
  }

  /// The share of complete entries, 0 to 1; nil without entries.
  public var completeness: Double? {
    all.entries == 0 ? nil : Double(complete) / Double(all.entries)
  }

  /// The keys of all entries, even of those that do not meet the conditions.
  public var keys: [String] {
    scanner.keys.indices.filter { $0 >= isMet.count || isMet[$0] }.map {
      String(decoding: scanner.keys[$0], as: UTF8.self)
    }
  }

  /// Notes that earlier entries had this key.
  mutating func meet(_ key: String) {
    if let index = scanner.number(of: Bytes(key)), index < isMet.count { isMet[index] = true }
  }

  /// The fields with numbers, in order of appearance.
  ///
  /// - Parameter tally: One of the tallies of this summary.
  public func fields(of tally: MetricsTally) -> [(name: String, field: Histogram)] {
    tally.fieldsByKey.enumerated().compactMap { index, field in
      field.map { (String(decoding: scanner.keys[index], as: UTF8.self), $0) }
    }
  }

  /// The field of this name; nil if it never held a number.
  public func field(_ name: String, of tally: MetricsTally) -> Histogram? {
    fields(of: tally).first { $0.name == name }?.field
  }

  /// The latest values of the field of this name, oldest first.
  public func latest(_ name: String) -> [Double] {
    guard let key = scanner.keys.firstIndex(of: Bytes(name)), key < latestValues.count else {
      return []
    }
    return latestValues[key]
  }

  /// Whether something was left out because there were too many keys, groups or fields.
  public var isBounded: Bool {
    scanner.skippedKeys > 0 || fieldsLeft == 0 || rowsLeft == 0
      || groupsByValue[Self.others] != nil
  }

  // MARK: Adding

  /// Adds the entry at `start` if it is flat, and returns the start of the next line.
  public mutating func addFlat(_ text: UnsafeBufferPointer<UInt8>, from start: Int) -> Int? {
    guard let next = scanner.scanFlat(text, from: start) else { return nil }
    count(text, start..<(next - 1))
    return next
  }

  /// Adds a line, given without its newline.
  public mutating func add(line: ArraySlice<UInt8>) {
    let line = line.withoutByteOrderMark
    if line.isBlank { return }
    if scanner.scan(line: line) {
      line.withUnsafeBufferPointer { count($0, $0.indices) }
    } else {
      unreadable += 1
    }
  }

  /// Counts lines that the caller skipped because they are cut or too long.
  public mutating func addUnreadable(_ count: Int = 1) { unreadable += count }

  private mutating func count(_ text: UnsafeBufferPointer<UInt8>, _ line: Range<Int>) {
    for key in isMet.indices where !isMet[key] && scanner.places[key].kind != .missing {
      isMet[key] = true
    }
    for condition in conditions {
      let place = scanner.places[condition.key]
      if place.kind == .missing || !isText(place, condition.value, text) { return }
    }
    all.entries &+= 1
    let hasPassed = hasPassed(text)
    if hasPassed { all.passed &+= 1 }
    var isComplete = true
    for (index, key) in requiredKeys.enumerated() {
      switch scanner.places[key].kind {
      case .missing, .null: isComplete = false
      case .number, .other: present[index] &+= 1
      }
    }
    if isComplete { complete &+= 1 }
    var group: Int?
    if let byKey {
      let found = self.group(byKey, text)
      groups[found].tally.entries &+= 1
      if hasPassed { groups[found].tally.passed &+= 1 }
      group = found
    }
    for key in scanner.present where scanner.places[key].kind == .number {
      let value = scanner.places[key].number
      Self.add(value, key, to: &all, &rowsLeft, &fieldsLeft)
      if let group { Self.add(value, key, to: &groups[group].tally, &rowsLeft, &fieldsLeft) }
      if question.latest > 0 { keep(value, key) }
    }
    if baseline == nil, isComplete, line.count <= Self.longestBaseline {
      baseline = Bytes(UnsafeBufferPointer(rebasing: text[line]))
      while baseline?.last == 0x0D || baseline?.last == 0x20 { baseline?.removeLast() }
      untilBaseline = all
    }
  }

  @inline(__always)
  private static func add(
    _ value: Double, _ key: Int, to tally: inout MetricsTally, _ rowsLeft: inout Int,
    _ fieldsLeft: inout Int
  ) {
    if key >= tally.fieldsByKey.count || tally.fieldsByKey[key] == nil {
      guard fieldsLeft > 0 else { return }
      fieldsLeft -= 1
      while tally.fieldsByKey.count <= key { tally.fieldsByKey.append(nil) }
      tally.fieldsByKey[key] = Histogram()
    }
    tally.fieldsByKey[key]?.add(value, &rowsLeft)
  }

  private mutating func keep(_ value: Double, _ key: Int) {
    while latestValues.count <= key { latestValues.append([]) }
    if latestValues[key].count == question.latest { latestValues[key].removeFirst() }
    latestValues[key].append(value)
  }

  /// Whether `status`, the key with index 0, means success.
  private func hasPassed(_ text: UnsafeBufferPointer<UInt8>) -> Bool {
    let place = scanner.places[0]
    guard place.kind == .other else { return false }
    return success.contains { word in isText(place, word, text) }
  }

  @inline(__always)
  private func isText(
    _ place: MetricsScanner.Place, _ word: Bytes, _ text: UnsafeBufferPointer<UInt8>
  ) -> Bool {
    guard place.text.count == word.count else { return false }
    for offset in 0..<word.count {
      let at = place.text.lowerBound &+ offset
      let byte = scanner.unescaped.isEmpty ? text[at] : scanner.unescaped[at]
      if byte != word[offset] { return false }
    }
    return true
  }

  /// The group of the entry; entries without the key belong to the group with the empty name.
  private mutating func group(_ key: Int, _ text: UnsafeBufferPointer<UInt8>) -> Int {
    let place = scanner.places[key]
    let isEmpty = place.kind == .missing || place.kind == .null
    if !isEmpty, latestGroup < groups.count, isText(place, groups[latestGroup].value, text) {
      return latestGroup
    }
    var value: Bytes = []
    if !isEmpty {
      value =
        scanner.unescaped.isEmpty ? Bytes(text[place.text]) : Bytes(scanner.unescaped[place.text])
    }
    latestGroup = group(of: value)
    return latestGroup
  }

  /// The group of this value, created if necessary.
  mutating func group(of value: Bytes) -> Int {
    if let known = groupsByValue[value] { return known }
    let hasOwn = groups.count < Self.mostGroups && value.count <= Self.longestGroup
    let name = hasOwn ? value : Self.others
    if let known = groupsByValue[name] { return known }
    groupsByValue[name] = groups.count
    groups.append((name, MetricsTally()))
    return groups.count - 1
  }
}
