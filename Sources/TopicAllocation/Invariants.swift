import POSIX

/// The invariants of a root, and the check for them.
public struct Invariants: Sendable {
  /// A violated invariant.
  public enum Violation: Hashable, Sendable {
    /// Entries that share a number.
    case duplicate(number: Int, entries: [Bytes])
    /// Unused numbers between the lowest and the highest one.
    case gap(ClosedRange<Int>)
    /// A numbered entry that is a file, or a directory if the style makes files.
    case wrongKind(entry: Bytes)
    /// An entry that looks numbered, but does not follow the style; the name that it should have, if
    /// there is one.
    case malformed(entry: Bytes, proposal: Bytes?)
    /// A root with this many entries, none of them numbered in this style; the style of most entries that
    /// look numbered, if they have one.
    case unrecognised(entries: Int, fitting: Style?)
    /// A number that belongs to one entry here and to another elsewhere, such as in another branch.
    case clash(number: Int, here: Bytes, there: Bytes, elsewhere: Bytes)
    /// A lock that somebody held for too long. Other violations may be unfinished work of that process.
    case lockHeld(Path, LockHolder?)
  }

  /// The result of a check.
  public struct Report: Sendable {
    /// How many entries count as topics.
    public let topics: Int
    /// The lowest and the highest number; nil if there is no topic.
    public let numbers: ClosedRange<Int>?
    /// Whether there are no entries, apart from those whose names begin with a dot.
    public let isEmpty: Bool
    /// The violations, by kind, then by number.
    public var violations: [Violation]
  }

  /// How entries are named.
  public let style: Style
  /// Whether numbers may be missing between the lowest and the highest one. By default they may, except in
  /// the style of topics: other entries are numbered in branches, and some branches are abandoned.
  public var allowsGaps: Bool
  /// The number that the first topic must have; nil allows any.
  public var start: Int?
  /// How long a lock may be held, in nanoseconds, before it counts as a violation. An allocation of one
  /// name holds it for about a millisecond, one of many names for longer.
  public var lockPatience = Duration.seconds(5)

  /// The invariants of a root in this style.
  public init(_ style: Style) {
    self.style = style
    allowsGaps = style.slugRule != .underscores
  }

  /// Checks the root at `path`; creates nothing.
  public func check(_ path: Path) throws(SystemError) -> Report {
    var numbered: [(topic: Topic, kind: FileStatus.Kind?)] = []
    var misspelt: [Bytes] = []
    var entries = 0
    var dates = 0
    // Under the lock, no topic is seen without the one before it.
    let deadline = Instant.now + lockPatience
    let lock = try RootLock(path, makesLockFile: false, until: deadline)
    try lock.directory.forEachEntry { entry, kind in
      if entry.first == UInt8(ascii: ".") { return }
      entries += 1
      if Style.isDate(entry) {
        dates += 1
      } else if let topic = Topic(Bytes(entry), in: path, style) {
        numbered.append((topic, kind))
      } else if looksNumbered(entry) {
        misspelt.append(Bytes(entry))
      }
    }
    numbered.sort {
      $0.topic.number != $1.topic.number
        ? $0.topic.number < $1.topic.number
        : $0.topic.entryName.lexicographicallyPrecedes($1.topic.entryName)
    }
    // An entry that shares its number with a file of this style is a companion of it, such as an image.
    let owned = Set(numbered.filter { style.hasSuffix($0.topic.entryName) }.map(\.topic.number))
    let topics = numbered.filter { topic, _ in
      style.hasSuffix(topic.entryName) || !owned.contains(topic.number)
    }
    let wrongKinds = topics.filter { !style.isProperKind($0.topic, $0.kind) }
      .map { Violation.wrongKind(entry: $0.topic.entryName) }
    var malformed = misspelt.map { (entry: $0, proposal: Bytes?.none) }
    for (topic, _) in topics where properName(of: topic) != topic.entryName {
      malformed.append((topic.entryName, properName(of: topic)))
    }
    malformed.sort { $0.entry.lexicographicallyPrecedes($1.entry) }

    var violations: [Violation] = lock.busy.map { [.lockHeld($0, LockHolder.of($0))] } ?? []
    if entries > 0, topics.isEmpty, dates == 0 {
      let fitting = fittingStyle(misspelt, in: path)
      if misspelt.isEmpty || fitting != nil {
        violations.append(.unrecognised(entries: entries, fitting: fitting))
      }
    }
    let inUse = topics.map { (number: $0.topic.number, entry: $0.topic.entryName) }
    violations += duplicates(inUse.filter { style.hasSuffix($0.entry) }) + gaps(inUse)
    violations += wrongKinds
    violations += malformed.map { .malformed(entry: $0.entry, proposal: $0.proposal) }
    var numbers: ClosedRange<Int>?
    if let first = inUse.first, let last = inUse.last { numbers = first.number...last.number }
    return Report(
      topics: topics.count, numbers: numbers, isEmpty: entries == 0, violations: violations)
  }

  /// The entries of a root, for comparison with its entries elsewhere.
  public struct Entries {
    fileprivate let names: Set<Bytes>
    fileprivate let owners: [Int: [Bytes]]
  }

  /// The numbered entries of `root`.
  public func entries(of root: Root) throws(SystemError) -> Entries {
    let names = try root.topics(style).map(\.entryName)
    let numbered = names.compactMap { name in ownNumber(of: name).map { (number: $0, name: name) } }
    return Entries(
      names: Set(names),
      owners: Dictionary(grouping: numbered, by: \.number).mapValues { $0.map(\.name) })
  }

  /// The numbers that would become duplicates in a merge: they belong to entries of a root `here`, and to
  /// other entries among `entries`, those of the same root in another branch.
  ///
  /// - Parameter base: The entries of the common ancestor. A side that lacks one of them has renamed or
  ///   removed it.
  public func clashes(
    _ here: Entries, with entries: [Bytes], in elsewhere: Bytes, since base: Set<Bytes> = []
  ) -> [Violation] {
    var others: [Int: [Bytes]] = [:]
    for entry in entries where !here.names.contains(entry) && !base.contains(entry) {
      guard let number = ownNumber(of: entry), here.owners[number] != nil else { continue }
      others[number, default: []].append(entry)
    }
    if others.isEmpty { return [] }
    let known = Set(entries)
    var violations: [Violation] = []
    for (number, others) in others.sorted(by: { $0.key < $1.key }) {
      for mine in here.owners[number] ?? [] where !known.contains(mine) && !base.contains(mine) {
        for other in others.sorted(by: { $0.lexicographicallyPrecedes($1) }) {
          violations.append(.clash(number: number, here: mine, there: other, elsewhere: elsewhere))
        }
      }
    }
    return violations
  }

  private func duplicates(_ topics: [(number: Int, entry: Bytes)]) -> [Violation] {
    var result: [Violation] = []
    var index = 0
    while index < topics.count {
      let same = topics[index...].prefix { $0.number == topics[index].number }
      if same.count > 1 {
        result.append(.duplicate(number: topics[index].number, entries: same.map(\.entry)))
      }
      index += same.count
    }
    return result
  }

  private func gaps(_ topics: [(number: Int, entry: Bytes)]) -> [Violation] {
    guard let first = topics.first else { return [] }
    var result: [Violation] = []
    var expected = start ?? first.number
    for (number, _) in topics {
      let mayLack = allowsGaps && number != first.number
      if number > expected, !mayLack { result.append(.gap(expected...(number - 1))) }
      expected = max(expected, number + 1)
    }
    return result
  }

  /// The name that an allocation would give to `topic`; nil if its name leaves no slug.
  private func properName(of topic: Topic) -> Bytes? {
    Slug(topic.name, style.slugRule).map { style.entryName(topic.number, $0) }
  }

  /// The number that no other entry may have; nil for dates and companions.
  private func ownNumber(of entry: Bytes) -> Int? {
    let isDate = entry.withUnsafeBufferPointer { Style.isDate($0) }
    return isDate || !style.hasSuffix(entry) ? nil : style.number(of: entry)
  }

  /// The well-known style of more than half of these entries of the root at `path`, if there is one.
  private func fittingStyle(_ names: [Bytes], in path: Path) -> Style? {
    [Style.topic, .specKit, .adr].first { style in
      let fitting = names.count { Topic($0, in: path, style).map { style.fits($0, nil) } ?? false }
      return fitting > names.count / 2
    }
  }

  /// Whether `entry` is up to seven digits, or begins with them and the separator of some style.
  private func looksNumbered(_ entry: UnsafeBufferPointer<UInt8>) -> Bool {
    let digits = entry.prefix(while: \.isDigit)
    guard Style.widthRange.contains(digits.count) else { return false }
    guard let next = entry.dropFirst(digits.count).first else { return true }
    return next == style.separator || next == UInt8(ascii: "_") || next == UInt8(ascii: "-")
  }
}

extension Style {
  /// Whether `entry` begins with a date, which is not a number: eight digits or more, or a day of the last
  /// century or this one, such as 2025-11-29.
  fileprivate static func isDate(_ entry: UnsafeBufferPointer<UInt8>) -> Bool {
    if entry.prefix(while: \.isDigit).count > widthRange.upperBound { return true }
    let parts = entry.prefix(10).split(
      separator: UInt8(ascii: "-"), omittingEmptySubsequences: false)
    guard parts.map(\.count) == [4, 2, 2], parts.allSatisfy({ $0.allSatisfy(\.isDigit) }),
      entry.count == 10 || !entry[10].isDigit
    else { return false }
    let values = parts.map { $0.reduce(0) { $0 * 10 + Int($1 - UInt8(ascii: "0")) } }
    return (1900...2099).contains(values[0]) && (1...12).contains(values[1])
      && (1...31).contains(values[2])
  }

  /// Whether `entry` has the suffix of this style, which is empty in styles that make directories.
  fileprivate func hasSuffix(_ entry: Bytes) -> Bool {
    entry.suffix(suffix.count) == suffix[...]
  }
}

extension UInt8 {
  fileprivate var isDigit: Bool { self &- UInt8(ascii: "0") <= 9 }
}

extension Root {
  /// The style among `styles` that numbers most entries of this root; of several, the first.
  public func usualStyle(among styles: [Style]) throws(SystemError) -> Style {
    var counts = styles.map { _ in 0 }
    try Descriptor(opening: path, .directory).forEachEntry { entry, _ in
      if Style.isDate(entry) { return }
      for index in styles.indices where styles[index].numberPrefix(of: entry) != nil {
        counts[index] += 1
      }
    }
    let most = counts.max() ?? 0
    return styles[counts.firstIndex(of: most) ?? 0]
  }
}
