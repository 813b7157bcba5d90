import CommandLine
import POSIX

/// Judges a stretch of a run in one root, after the last process has ended.
struct Checker {
  /// The calls, in any order.
  let calls: [Call]
  /// The highest number in the root before the calls; nil if it was empty.
  let base: Int?
  /// The names in the root after the calls; nil if the root is gone, and only the history is
  /// judged.
  let entries: [Bytes]?
  /// The last iteration of the stretch. Entries of later ones are ignored; an interrupted run left
  /// them.
  let lastIteration: Int
  /// The entries that the shared ledger of a scope has reserved; nil for a single root. In a scope,
  /// each root has a lock of its own, and gaps are legal.
  var reserved: Set<Bytes>?

  /// The name of the directories that a bystander creates.
  static let bystander = "bystander"

  /// All violations. ``Assertion/unlocked`` is checked during the run instead.
  func violations() -> [Violation] {
    let ofHistory = answers() + duplicates() + outOfOrder()
    let ofScope = reserved.map { notReserved($0) } ?? overlaps()
    if entries == nil { return ofHistory + ofScope }
    return ofHistory + ofScope + (reserved == nil ? gaps() : []) + missing() + unaccounted()
  }

  /// The number of calls that share their number with another call.
  var collisions: Int {
    callsByNumber.values.reduce(0) { $0 + ($1.count > 1 ? $1.count : 0) }
  }

  private var acknowledged: [Call] { calls.filter { $0.answer != nil } }

  private var callsByNumber: [Int: [Call]] {
    Dictionary(grouping: acknowledged) { $0.answer?.number ?? 0 }
  }

  /// The numbered entries, without those of the bystander.
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

  /// The topics that are new, by number or by name.
  private var newTopics: [(number: Int, name: Bytes)] {
    let names = Set(calls.map(\.name))
    return topics.filter { topic in
      topic.number > base ?? -1 || names.contains(Entry.callName(of: topic.name))
    }
  }

  private static func isBystanders(_ name: Bytes) -> Bool {
    Entry.callName(of: name).hasPrefix(bystander)
  }

  // Finds lost or garbled answers, crashes and hangs.
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

  // Finds calls that read the same highest number, and numbers that were in use before.
  private func duplicates() -> [Violation] {
    var found: [Violation] = []
    for (number, calls) in callsByNumber.sorted(by: { $0.key < $1.key }) {
      if calls.count > 1 {
        found.append(
          Violation(.unique, "number \(number) was given to \(calls.count) calls", calls))
      } else if let base, number <= base {
        found.append(
          Violation(
            .unique, "number \(number) was given out, but \(base) was in use before", calls))
      }
    }
    let acknowledgedTwice = Set(callsByNumber.filter { $0.value.count > 1 }.keys)
    for (number, topics) in Dictionary(grouping: newTopics, by: \.number)
      .sorted(by: { $0.key < $1.key })
    where topics.count > 1 && !acknowledgedTwice.contains(number) {
      let names = topics.map { $0.name.quotedForMessage }.joined(separator: " and ")
      found.append(
        Violation(.unique, "number \(number) belongs to \(names)", calls(of: topics.map(\.name))))
    }
    return found
  }

  // Finds skipped numbers, and those whose directory vanished.
  private func gaps() -> [Violation] {
    let numbers = Set(newTopics.map(\.number) + acknowledged.compactMap { $0.answer?.number })
    guard let highest = numbers.max() else { return [] }
    // Numbers in an empty root start from 0 or 1.
    let first = base.map { $0 + 1 } ?? min(1, numbers.min() ?? 1)
    guard first <= highest else { return [] }
    var found: [Violation] = []
    var start: Int?
    for number in first...highest + 1 {
      if number <= highest, !numbers.contains(number) {
        start = start ?? number
      } else if let from = start {
        let range =
          from == number - 1 ? "number \(from) is" : "numbers \(from) to \(number - 1) are"
        let next = calls.filter { $0.answer?.number == number }
        found.append(Violation(.contiguous, "\(range) missing", next))
        start = nil
      }
    }
    return found
  }

  // Finds answers before the directory existed, and directories that were removed again.
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
          .exists, "\(call.title) reported \(entry.quotedForMessage), which does not exist", [call])
      }
      if !numbers.contains(answer.number) {
        return Violation(
          .exists, "\(call.title) reported number \(answer.number), which does not exist", [call])
      }
      return nil
    }
  }

  // Finds directories of failed calls.
  private func unaccounted() -> [Violation] {
    let numbers = Set(acknowledged.compactMap { $0.answer?.number })
    let byName = Dictionary(calls.map { ($0.name, $0) }) { first, _ in first }
    // Each killed call may have left one entry.
    var excuses = calls.filter { $0.isIndeterminate && $0.answer == nil }.count
    return newTopics.compactMap { topic in
      if numbers.contains(topic.number) { return nil }
      guard let call = byName[Entry.callName(of: topic.name)] else {
        // It can be from a killed call of an allocator that does not use the name.
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

  // Finds numbers that were read before the lock was taken, or from an outdated copy.
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

  // Finds pushes that were reported but never happened, or were undone by another push.
  private func notReserved(_ entries: Set<Bytes>) -> [Violation] {
    acknowledged.compactMap { call in
      guard let entry = call.answer?.entry, !entries.contains(entry) else { return nil }
      return Violation(
        .reserved, "\(call.title) reported \(entry.quotedForMessage), which is not in the ledger",
        [call])
    }
  }

  // Finds locks that are not exclusive, or not held when the allocator says so.
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
