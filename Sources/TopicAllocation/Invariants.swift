import POSIX

/// What must hold in a root, and how it is checked.
public struct Invariants: Sendable {
  /// One invariant that does not hold.
  public enum Violation: Hashable, Sendable {
    /// Entries that share a number.
    case duplicate(number: Int, entries: [Bytes])
    /// Numbers between the lowest and the highest one that nothing has.
    case gap(ClosedRange<Int>)
    /// An entry that is numbered and a file, or a directory where the style makes files.
    case wrongKind(entry: Bytes)
    /// An entry that looks numbered, but is not named as the style names; the name it should have,
    /// where there is one.
    case malformed(entry: Bytes, proposal: Bytes?)
    /// A number that belongs to one entry here and to another one elsewhere, such as in another branch.
    case clash(number: Int, here: Bytes, there: Bytes, elsewhere: Bytes)
    /// A lock that somebody held until the patience was over. What else was found may be the work
    /// of that one, half done.
    case lockHeld(Path, LockHolder?)
  }

  /// What a check found.
  public struct Report: Sendable {
    /// How many entries count as topics.
    public let topics: Int
    /// The lowest and the highest number; nil when there is no topic.
    public let numbers: ClosedRange<Int>?
    /// What does not hold, by kind, then by number.
    public var violations: [Violation]

    /// The report on a root that does not exist yet.
    public static let ofNothing = Report(topics: 0, numbers: nil, violations: [])
  }

  /// How entries are named.
  public let style: Style
  /// Whether numbers may be missing.
  public var allowsGaps = false
  /// The number that the first topic must have; nil: whichever is the lowest.
  public var start: Int?
  /// How long a lock may be held before that counts as a violation, in nanoseconds. An allocator
  /// with one name holds it for about a millisecond, one with many names for longer.
  public var lockPatience: UInt64 = 5_000_000_000

  /// The invariants of a root in this style.
  public init(_ style: Style) {
    self.style = style
  }

  /// Checks the root at `path`; creates nothing.
  public func check(_ path: Path) throws(SystemError) -> Report {
    var topics: [(number: Int, entry: Bytes)] = []
    var wrongKinds: [Violation] = []
    var malformed: [Violation] = []
    // Under the lock, so that no topic is seen without the one before it.
    let deadline = Instant.now.advanced(byNanoseconds: lockPatience)
    let lock = try RootLock(path, makesLockFile: false, until: deadline)
    try lock.directory.forEachEntry { entry, kind in
      let name = Bytes(entry)
      if let topic = Topic(name, in: path, style) {
        topics.append((topic.number, name))
        if !style.isProperKind(topic, kind) { wrongKinds.append(.wrongKind(entry: name)) }
        let proper = properName(of: topic)
        if proper != name { malformed.append(.malformed(entry: name, proposal: proper)) }
      } else if looksNumbered(entry) {
        malformed.append(.malformed(entry: name, proposal: nil))
      }
    }
    topics.sort {
      $0.number != $1.number
        ? $0.number < $1.number : $0.entry.lexicographicallyPrecedes($1.entry)
    }
    var violations: [Violation] = lock.busy.map { [.lockHeld($0, LockHolder.of($0))] } ?? []
    violations += duplicates(topics) + gaps(topics) + wrongKinds.sorted() + malformed.sorted()
    var numbers: ClosedRange<Int>?
    if let first = topics.first, let last = topics.last { numbers = first.number...last.number }
    return Report(topics: topics.count, numbers: numbers, violations: violations)
  }

  /// Numbers that entries of this root share with other ones among `entries`, which are those of the
  /// same root in another branch: what would be there twice when both came together. What is among
  /// `base`, from which both have come, was renamed or removed by the side that does not have it.
  public func clashes(
    _ root: Root, with entries: [Bytes], in elsewhere: Bytes, since base: [Bytes] = []
  ) throws(SystemError) -> [Violation] {
    let here = try root.exists ? root.topics(style).map(\.entryName) : []
    let old = Set(base)
    let there = Set(entries).subtracting(here).subtracting(old)
    let known = Set(entries)
    var violations: [Violation] = []
    for mine in here where !known.contains(mine) && !old.contains(mine) {
      guard let number = style.number(of: mine) else { continue }
      let others = there.filter { style.number(of: $0) == number }
      for other in others.sorted(by: { $0.lexicographicallyPrecedes($1) }) {
        violations.append(.clash(number: number, here: mine, there: other, elsewhere: elsewhere))
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
    guard !allowsGaps, let first = topics.first else { return [] }
    var result: [Violation] = []
    var expected = start ?? first.number
    for (number, _) in topics {
      if number > expected { result.append(.gap(expected...(number - 1))) }
      expected = max(expected, number + 1)
    }
    return result
  }

  /// The name that an allocation would have given to `topic`; nil when its own leaves no slug.
  private func properName(of topic: Topic) -> Bytes? {
    Slug(topic.name, style.slugRule).map { style.entryName(topic.number, $0) }
  }

  /// Up to seven digits with nothing behind, or with a separator that some style has. Dates such as
  /// 2025-11-29 do not look numbered.
  private func looksNumbered(_ entry: UnsafeBufferPointer<UInt8>) -> Bool {
    let isDigit = { (byte: UInt8) in byte &- UInt8(ascii: "0") <= 9 }
    let digits = entry.prefix(while: isDigit)
    guard Style.widthRange.contains(digits.count) else { return false }
    let rest = entry.dropFirst(digits.count)
    guard let next = rest.first else { return true }
    let shape = entry.prefix(10).map { isDigit($0) ? UInt8(ascii: "0") : $0 }
    if shape == Bytes("0000-00-00") { return false }
    return next == style.separator || next == UInt8(ascii: "_") || next == UInt8(ascii: "-")
  }
}

extension [Invariants.Violation] {
  fileprivate func sorted() -> Self {
    func entry(_ violation: Invariants.Violation) -> Bytes {
      switch violation {
      case .wrongKind(let entry), .malformed(let entry, _): entry
      default: []
      }
    }
    return sorted { entry($0).lexicographicallyPrecedes(entry($1)) }
  }
}
