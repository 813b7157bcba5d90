import CommandLine
import POSIX

/// What must hold of a history and the root that it left: Jepsen's unique-ids and counter checks, with
/// the file system as the state.
enum Assertion: String, CaseIterable {
  case unique, contiguous, exists, accounted, order, exclusion, unlocked, finished, answered,
    reserved, speed

  /// What it says.
  var title: String {
    switch self {
    case .unique: "no number twice"
    case .contiguous: "no gap"
    case .exists: "what was acknowledged exists"
    case .accounted: "what exists was acknowledged, or its process was killed"
    case .order: "a call that began after another ended has the higher number"
    case .exclusion: "no two held the lock at once"
    case .unlocked: "nothing is left locked"
    case .finished: "no process hangs, crashes or stays behind"
    case .answered: "every call answers with a number"
    case .reserved: "what was acknowledged is in the ledger"
    case .speed: "not slower than the last runs"
    }
  }
}

extension Assertion {
  /// Whether it means anything where numbers are unique in this scope. With more roots than one there are
  /// more locks than one, and a gap is what a crash may leave.
  func isJudged(in scope: SharedScope?) -> Bool {
    switch self {
    case .contiguous, .exclusion: scope == nil
    case .reserved: scope != nil
    default: true
    }
  }
}

/// An assertion that does not hold, and the calls that show it.
struct Violation {
  let assertion: Assertion
  /// What is wrong, such as `number 12 was given out twice`.
  let message: String
  let calls: [Call]

  init(_ assertion: Assertion, _ message: String, _ calls: [Call] = []) {
    self.assertion = assertion
    self.message = message
    self.calls = calls
  }
}

/// Judges the calls of one stretch of a run in one root, after the last of their processes has ended.
struct Checker {
  /// The calls, in any order.
  let calls: [Call]
  /// The highest number that the root had before them; nil when it was empty.
  let base: Int?
  /// The names in the root after them; nil when the root is gone, so that only the history is judged.
  let entries: [Bytes]?
  /// The number of the last iteration among them. Entries of later ones were left by a run that broke
  /// off, and are nobody's.
  let lastIteration: Int
  /// What the ledger of a scope has reserved, where roots share one; nil where there is one root. There,
  /// each root has a lock of its own, and a number may be missing.
  var reserved: Set<Bytes>?

  /// Directories of this name are made by a bystander, not by an allocator.
  static let bystander = "bystander"

  /// Everything that does not hold. ``Assertion/unlocked`` is looked at while the run goes on.
  func violations() -> [Violation] {
    let ofHistory = answers() + numbersTwice() + outOfOrder()
    let ofScope = reserved.map { notReserved($0) } ?? overlaps()
    if entries == nil { return ofHistory + ofScope }
    return ofHistory + ofScope + (reserved == nil ? gaps() : []) + missing() + unaccounted()
  }

  /// How many calls were given a number that another one was given, too.
  var collisions: Int {
    callsByNumber.values.reduce(0) { $0 + ($1.count > 1 ? $1.count : 0) }
  }

  private var acknowledged: [Call] { calls.filter { $0.answer != nil } }

  private var callsByNumber: [Int: [Call]] {
    Dictionary(grouping: acknowledged) { $0.answer?.number ?? 0 }
  }

  /// The numbered entries that are not the bystander's.
  private var topics: [(number: Int, name: Bytes)] {
    (entries ?? []).compactMap { name in
      guard let number = Entry.number(of: name), !Self.isBystanders(name),
        Self.iteration(of: name) ?? 0 <= lastIteration
      else { return nil }
      return (number, name)
    }
  }

  /// The iteration in a name such as `017_i12p3`.
  private static func iteration(of name: Bytes) -> Int? {
    let text = Entry.callName(of: name)
    return text.first == "i" ? Int(text.dropFirst().prefix { $0 != "p" }) : nil
  }

  /// Those that were not there before, by number or by name.
  private var newTopics: [(number: Int, name: Bytes)] {
    let names = Set(calls.map(\.name))
    return topics.filter { topic in
      topic.number > base ?? -1 || names.contains(Entry.callName(of: topic.name))
    }
  }

  private static func isBystanders(_ name: Bytes) -> Bool {
    Entry.callName(of: name).hasPrefix(bystander)
  }

  // A lost or garbled answer, a crash, a hang.
  private func answers() -> [Violation] {
    calls.compactMap { call in
      switch (call.ending, call.fate) {
      case (_, .hung): Violation(.finished, "\(call.title) did not end and was killed", [call])
      case (_, .runaway):
        Violation(.finished, "\(call.title) printed without end and was killed", [call])
      case (.signaled, .killed), (.signaled, .interrupted): nil
      case (.signaled(let number), _):
        Violation(.finished, "\(call.title) was ended by signal \(number)", [call])
      case (.exited(0), _) where call.answer != nil: nil
      case (.exited(0), _) where call.output.isEmpty:
        Violation(.answered, "\(call.title) printed nothing", [call])
      case (.exited(0), _):
        Violation(
          .answered, "\(call.title) printed no number, path or JSON with one of them", [call])
      case (.exited(let code), .free) where !call.isStarved:
        Violation(.answered, "\(call.title) failed with code \(code)", [call])
      case (.exited, _): nil
      }
    }
  }

  // Two that read the same highest number; a number of before given out again.
  private func numbersTwice() -> [Violation] {
    var found: [Violation] = []
    for (number, calls) in callsByNumber.sorted(by: { $0.key < $1.key }) {
      if calls.count > 1 {
        found.append(
          Violation(.unique, "number \(number) was given to \(calls.count) calls", calls))
      } else if let base, number <= base {
        found.append(
          Violation(
            .unique, "number \(number) was given out, but \(base) was there already", calls))
      }
    }
    let acknowledgedTwice = Set(callsByNumber.filter { $0.value.count > 1 }.keys)
    for (number, topics) in Dictionary(grouping: newTopics, by: \.number)
      .sorted(by: { $0.key < $1.key })
    where topics.count > 1 && !acknowledgedTwice.contains(number) {
      let names = topics.map { $0.name.quotedForMessage }.joined(separator: " and ")
      found.append(
        Violation(.unique, "number \(number) is there as \(names)", calls(of: topics.map(\.name))))
    }
    return found
  }

  // A number that was skipped, or whose directory vanished.
  private func gaps() -> [Violation] {
    let numbers = Set(newTopics.map(\.number) + acknowledged.compactMap { $0.answer?.number })
    guard let highest = numbers.max() else { return [] }
    // An empty root is numbered from 0 or 1.
    let first = base.map { $0 + 1 } ?? min(1, numbers.min() ?? 1)
    guard first <= highest else { return [] }
    var found: [Violation] = []
    var start: Int?
    for number in first...highest + 1 {
      if number <= highest, !numbers.contains(number) {
        start = start ?? number
      } else if let from = start {
        let range = from == number - 1 ? "number \(from)" : "numbers \(from) to \(number - 1)"
        let next = calls.filter { $0.answer?.number == number }
        found.append(Violation(.contiguous, "nobody has \(range)", next))
        start = nil
      }
    }
    return found
  }

  // A report before the directory exists, or a directory that was removed again.
  private func missing() -> [Violation] {
    let names = Set(entries ?? [])
    let numbers = Set(topics.map(\.number))
    let callNames = Set(calls.map(\.name))
    return acknowledged.compactMap { call in
      guard let answer = call.answer else { return nil }
      if let entry = answer.entry, let number = Entry.number(of: entry), number != answer.number {
        return Violation(
          .exists,
          "\(call.title) reported number \(answer.number) and \(entry.quotedForMessage)", [call])
      }
      if let name = answer.entry.map({ Entry.callName(of: $0) }), name != call.name,
        callNames.contains(name)
      {
        return Violation(.exists, "\(call.title) reported the entry of another call", [call])
      }
      if let entry = answer.entry, !names.contains(entry) {
        return Violation(
          .exists, "\(call.title) reported \(entry.quotedForMessage), which is not there", [call])
      }
      if !numbers.contains(answer.number) {
        return Violation(
          .exists, "\(call.title) reported number \(answer.number), which is not there", [call])
      }
      return nil
    }
  }

  // A call that failed and left its directory.
  private func unaccounted() -> [Violation] {
    let numbers = Set(acknowledged.compactMap { $0.answer?.number })
    let byName = Dictionary(calls.map { ($0.name, $0) }) { first, _ in first }
    // Each that was killed can have left one.
    var excuses = calls.filter { $0.isIndeterminate && $0.answer == nil }.count
    return newTopics.compactMap { topic in
      if numbers.contains(topic.number) { return nil }
      guard let call = byName[Entry.callName(of: topic.name)] else {
        // Whoever was killed and does not put the name into the entry.
        excuses -= 1
        if excuses >= 0 { return nil }
        return Violation(.accounted, "\(topic.name.quotedForMessage) belongs to no call")
      }
      if call.isIndeterminate { return nil }
      return Violation(
        .accounted, "\(topic.name.quotedForMessage) exists, but \(call.title) did not report it",
        [call])
    }
  }

  // A number that was read before the lock was taken, or from a copy that was not up to date.
  private func outOfOrder() -> [Violation] {
    let byStart = acknowledged.sorted { $0.start < $1.start }
    var byEnd = acknowledged.sorted { $0.end < $1.end }[...]
    var highest: Call?
    return byStart.compactMap { call in
      while let ended = byEnd.first, ended.end < call.start {
        byEnd.removeFirst()
        if ended.answer?.number ?? 0 > highest?.answer?.number ?? -1 { highest = ended }
      }
      guard let earlier = highest, let before = earlier.answer?.number,
        let after = call.answer?.number, after < before
      else { return nil }
      return Violation(
        .order, "\(call.title) was given \(after) after another had been given \(before)",
        [earlier, call])
    }
  }

  // A push that was reported as done and was not, or that another one has undone.
  private func notReserved(_ entries: Set<Bytes>) -> [Violation] {
    acknowledged.compactMap { call in
      guard let entry = call.answer?.entry, !entries.contains(entry) else { return nil }
      return Violation(
        .reserved, "\(call.title) reported \(entry.quotedForMessage), which is not in the ledger",
        [call])
    }
  }

  // A lock that is not exclusive, or not held where it is said to be.
  private func overlaps() -> [Violation] {
    let holders = calls.filter { $0.lock != nil }
      .sorted { ($0.lock?.held.lowerBound ?? 0) < ($1.lock?.held.lowerBound ?? 0) }
    return zip(holders, holders.dropFirst()).compactMap { first, second in
      guard let one = first.lock?.held, let other = second.lock?.held,
        other.lowerBound < one.upperBound
      else {
        return nil
      }
      return Violation(
        .exclusion, "\(first.title) and \(second.title) held the lock at once", [first, second])
    }
  }

  private func calls(of names: [Bytes]) -> [Call] {
    let callNames = Set(names.map { Entry.callName(of: $0) })
    return calls.filter { callNames.contains($0.name) }
  }
}

extension Call {
  /// Such as `process 3 of iteration 12`.
  var title: String { "process \(process) of iteration \(iteration)" }
}
