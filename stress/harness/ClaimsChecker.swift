import POSIX

/// What must hold of a history of claims.
enum ClaimsAssertion: String, CaseIterable {
  case once, order, holder, lease, answered, complete

  /// What it says.
  var title: String {
    switch self {
    case .once: "each task is done once"
    case .order: "no task is claimed before all that it waits for is done"
    case .holder: "no two workers have a task at once"
    case .lease: "no lease is taken over before it ran out"
    case .answered: "every call answers as it should, and none hangs"
    case .complete: "at the end all is done, and nothing is locked"
    }
  }
}

/// An assertion that does not hold, and the calls that show it.
struct ClaimsViolation {
  let assertion: ClaimsAssertion
  let message: String
  var calls: [ClaimsCall] = []
}

/// Judges a history of claims, from what the callers saw alone. Where a call was killed, nobody knows
/// whether it did anything; then both must be possible.
struct ClaimsChecker {
  /// The calls, in any order.
  let calls: [ClaimsCall]
  /// For each task, those that have to be done before it.
  let dependencies: [[Int]]
  /// The seconds for which a task was claimed.
  let lease: Int

  func violations() -> [ClaimsViolation] {
    let ordered = calls.sorted { $0.start < $1.start }
    let claims = Dictionary(grouping: ordered.filter { $0.answer != nil }) { $0.answer?.task ?? 0 }
    let ends = Dictionary(grouping: ordered.filter { $0.kind == .done }) { $0.task ?? 0 }
    var found = answers(ordered, claims)
    found += order(claims, ends)
    for task in dependencies.indices {
      found += once(task, claims[task] ?? [], ends[task] ?? [])
      found += holders(task, claims[task] ?? [], ends[task] ?? [])
      found += leases(task, claims[task] ?? [])
    }
    return found
  }

  /// Claims that were killed, which may have taken any task.
  private var lostClaims: [ClaimsCall] {
    calls.filter { $0.kind == .claim && $0.isKilled && $0.answer == nil }
  }

  private func once(
    _ task: Int, _ claims: [ClaimsCall], _ ends: [ClaimsCall]
  ) -> [ClaimsViolation] {
    let done = ends.filter(\.isAcknowledged)
    var found: [ClaimsViolation] = []
    if Set(done.map(\.worker)).count > 1 {
      found.append(
        ClaimsViolation(assertion: .once, message: "task \(task) was done twice", calls: done))
    }
    if let first = done.first, let late = claims.first(where: { $0.start > first.end }) {
      found.append(
        ClaimsViolation(
          assertion: .once, message: "task \(task) was given out after it was done",
          calls: [first, late]))
    }
    if !ends.contains(where: { $0.isAcknowledged || $0.isKilled }) {
      found.append(ClaimsViolation(assertion: .complete, message: "nobody did task \(task)"))
    }
    return found
  }

  /// A task that was begun when something before it cannot have been done yet.
  private func order(
    _ claims: [Int: [ClaimsCall]], _ ends: [Int: [ClaimsCall]]
  ) -> [ClaimsViolation] {
    let earliest = dependencies.indices.map { task in
      ends[task]?.first { $0.isAcknowledged || $0.isKilled }?.start ?? .max
    }
    return dependencies.indices.compactMap { task in
      guard let claim = claims[task]?.min(by: { $0.end < $1.end }),
        let missing = dependencies[task].first(where: { earliest[$0] >= claim.end })
      else { return nil }
      return ClaimsViolation(
        assertion: .order, message: "task \(task) was claimed before task \(missing) was done",
        calls: [claim] + (ends[missing] ?? []))
    }
  }

  /// Two who were given a task, neither of them in place of the other; or one who did it when another
  /// one had it.
  private func holders(
    _ task: Int, _ claims: [ClaimsCall], _ ends: [ClaimsCall]
  ) -> [ClaimsViolation] {
    var found: [ClaimsViolation] = []
    // Who began with a claim whose answer was lost asks again, and is not told then from whom it has it.
    let lost = Set(lostClaims.map(\.worker))
    let fresh = claims.filter { $0.answer?.reclaimedFrom == nil && !lost.contains($0.worker) }
    if Set(fresh.map(\.worker)).count > 1 {
      found.append(
        ClaimsViolation(
          assertion: .holder, message: "task \(task) was given to several workers", calls: fresh))
    }
    for end in ends where end.isAcknowledged {
      let own = claims.last { $0.worker == end.worker && $0.start < end.start }
      let other = claims.first { claim in
        claim.worker != end.worker && claim.end < end.start && claim.start > own?.end ?? 0
      }
      if own == nil || other != nil {
        found.append(
          ClaimsViolation(
            assertion: .holder, message: "task \(task) was done by a worker that did not have it",
            calls: [own, other, end].compactMap { $0 }))
      }
    }
    return found
  }

  private func leases(_ task: Int, _ claims: [ClaimsCall]) -> [ClaimsViolation] {
    claims.compactMap { claim in
      guard let holder = claim.answer?.reclaimedFrom else { return nil }
      let known = claims.last { $0.worker == holder && $0.end < claim.start }
      let lost = lostClaims.filter { $0.worker == holder && $0.start < claim.end }
      // The lease that is known, or else that of one of the claims whose answers were lost.
      let until = known?.answer?.leaseUntil ?? lost.map { $0.wallStart + lease }.min()
      if let until, until <= claim.wallEnd { return nil }
      // Both may have begun at once.
      if until == nil, claims.contains(where: { $0.worker == holder && $0.start < claim.end }) {
        return nil
      }
      let message = "task \(task) was taken from \(holder) before the lease ran out"
      return ClaimsViolation(
        assertion: .lease, message: message, calls: [known, claim].compactMap { $0 })
    }
  }

  private func answers(
    _ ordered: [ClaimsCall], _ claims: [Int: [ClaimsCall]]
  ) -> [ClaimsViolation] {
    let firstLost = lostClaims.map(\.start).min() ?? .max
    return ordered.compactMap { call in
      let message: String?
      switch call.ending {
      case _ where call.isHung: message = "a call did not end"
      case .signaled: message = call.isKilled ? nil : "a call was ended by a signal"
      case .exited(0):
        message = call.kind == .claim && call.answer == nil ? "a claim printed no task" : nil
      case .exited(1), .exited(2): message = call.kind == .claim ? nil : "a call failed"
      case .exited(77) where call.kind == .done:
        // Then another one has the task, or had it.
        let other = claims[call.task ?? 0]?.contains {
          $0.worker != call.worker && $0.start < call.end
        }
        message = other == true || firstLost < call.end ? nil : "the holder of a task was refused"
      case .exited: message = "a call failed"
      }
      return message.map { ClaimsViolation(assertion: .answered, message: $0, calls: [call]) }
    }
  }
}
