import POSIX

/// What metrics say as a whole, gathered in one pass and bounded memory: one JSON object a line, whose
/// `status` tells whether what it is about succeeded.
public struct MetricsSummary: Sendable {
  /// What is looked at.
  public struct Question: Hashable, Sendable {
    /// The key by whose values entries are grouped; nil for no groups.
    public var by: String?
    /// What an entry must have to be counted at all: keys and their values as text.
    public var conditions: [Condition]
    /// The keys that a complete entry has, not null.
    public var required: [String]
    /// The values of `status` that are a success.
    public var success: [String]
    /// How many of the latest values of each field are kept.
    public var latest: Int

    /// A key and the value that an entry has there, a number as it is spelled.
    public struct Condition: Hashable, Sendable {
      /// The key.
      public let key: String
      /// Its value as text.
      public let value: String

      /// That the entry has this value.
      public init(_ key: String, _ value: String) {
        (self.key, self.value) = (key, value)
      }
    }

    /// What counts as success where nothing else is said.
    public static let usualSuccess = ["passed", "success", "succeeded", "ok", "completed", "done"]

    /// A question.
    public init(
      by: String? = nil, where conditions: [Condition] = [], required: [String] = [],
      success: [String] = usualSuccess, latest: Int = 0
    ) {
      (self.by, self.conditions, self.required) = (by, conditions, required)
      (self.success, self.latest) = (success, latest)
    }
  }

  /// Groups beyond this number are counted as one, "…".
  public static let mostGroups = 1_000
  /// So are those of longer values, in bytes.
  static let longestGroup = 4_096
  private static let others = Bytes("…")
  /// A longer entry, in bytes, is no baseline, which every aggregate keeps.
  static let longestBaseline = 1 << 20
  /// What ``Quantiles`` may take in all, in rows of 256 bytes.
  static let mostRows = 40_000
  /// How many fields there are to be in all groups.
  static let mostFields = 20_000

  /// What is looked at.
  public let question: Question
  /// All entries.
  public internal(set) var all = MetricsTally()
  /// Those of each value of the key, in the order of their first entries.
  public internal(set) var groups: [(value: Bytes, tally: MetricsTally)] = []
  /// How many entries have every required field.
  public internal(set) var complete = 0
  /// How many entries have each of the required fields.
  public internal(set) var present: [Int]
  /// Lines that are no JSON object: cut by a crash, or spoilt.
  public internal(set) var unreadable = 0
  /// The first complete entry, as its line spells it; nil when there is none, or none that is short enough.
  public internal(set) var baseline: Bytes?
  /// All entries up to that one.
  var untilBaseline = MetricsTally()
  /// The latest values of each field, by the number of its key, the latest at the end.
  var latestValues: [[Double]] = []

  var scanner: MetricsScanner
  var rowsLeft = mostRows
  var fieldsLeft = mostFields
  /// Which of the keys that the question names an entry has had, by their numbers.
  private var isMet: [Bool]
  private var groupsByValue: [Bytes: Int] = [:]
  private var latestGroup = 0
  private let success: [Bytes]
  private let requiredKeys: [Int]
  private let byKey: Int?
  private let conditions: [(key: Int, value: Bytes)]

  /// A summary of nothing.
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

  /// The keys that entries have, also those of entries that do not meet the conditions.
  public var keys: [String] {
    scanner.keys.indices.filter { $0 >= isMet.count || isMet[$0] }.map {
      String(decoding: scanner.keys[$0], as: UTF8.self)
    }
  }

  /// Entries that were taken in before have this key.
  mutating func meet(_ key: String) {
    if let index = scanner.number(of: Bytes(key)), index < isMet.count { isMet[index] = true }
  }

  /// The fields of a tally of this summary that have numbers, in the order of their first appearance.
  public func fields(of tally: MetricsTally) -> [(name: String, field: MetricsTally.Field)] {
    tally.fieldsByKey.enumerated().compactMap { index, field in
      field.map { (String(decoding: scanner.keys[index], as: UTF8.self), $0) }
    }
  }

  /// The field of this name in a tally of this summary; nil when it never held a number.
  public func field(_ name: String, of tally: MetricsTally) -> MetricsTally.Field? {
    fields(of: tally).first { $0.name == name }?.field
  }

  /// The latest values of the field of this name, the latest at the end.
  public func latest(_ name: String) -> [Double] {
    guard let key = scanner.keys.firstIndex(of: Bytes(name)), key < latestValues.count else {
      return []
    }
    return latestValues[key]
  }

  /// Whether something had to be left out, as there were too many keys, groups, or fields.
  public var isBounded: Bool {
    scanner.passedOver > 0 || fieldsLeft == 0 || rowsLeft == 0
      || groupsByValue[Self.others] != nil
  }

  // MARK: Taking in

  /// Takes in the lines of `text`, and returns how much of it they take: a last line without its newline
  /// is left.
  mutating func add(_ text: UnsafeBufferPointer<UInt8>) -> Int {
    var start = 0
    while start < text.count {
      if let next = scanner.scanFlat(text, from: start) {
        count(text, start..<(next - 1))
        start = next
        continue
      }
      guard let end = text[start...].firstIndex(of: .newline) else { break }
      add(line: Bytes(text[start..<end])[...])
      start = end + 1
    }
    return start
  }

  /// Takes in one line, which has no newline.
  mutating func add(line: ArraySlice<UInt8>) {
    let line = line.withoutByteOrderMark
    if line.isBlank { return }
    if scanner.scan(line: line) {
      line.withUnsafeBufferPointer { count($0, $0.indices) }
    } else {
      unreadable += 1
    }
  }

  /// Counts lines that were passed over, as they are cut or longer than any of ours.
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
      tally.fieldsByKey[key] = MetricsTally.Field()
    }
    tally.fieldsByKey[key]?.add(value, &rowsLeft)
  }

  private mutating func keep(_ value: Double, _ key: Int) {
    while latestValues.count <= key { latestValues.append([]) }
    if latestValues[key].count == question.latest { latestValues[key].removeFirst() }
    latestValues[key].append(value)
  }

  /// `status` is the key of number 0.
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

  /// The group that the entry belongs to; those without the key belong to the one with no name.
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

  /// The group of this value, a new one when there is none.
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
