import POSIX

/// Judges a history of claims, only from what the callers saw. Nobody knows whether a killed call
/// had an effect, so the history must be valid either way.
struct ClaimsChecker {
  /// The calls, in any order.
  let calls: [ClaimsCall]
  /// For each task, the tasks that must be done before it.
  let dependencies: [[Int]]
  /// The lease of each claim, in seconds.
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

  /// Killed claims, which may have taken any task.
  private var lostClaims: [ClaimsCall] {
    calls.filter { $0.kind == .claim && $0.isKilled && $0.answer == nil }
  }

  private func once(
    _ task: Int, _ claims: [ClaimsCall], _ ends: [ClaimsCall]
  ) -> [ClaimsViolation] {
    let done = ends.filter(\.isAcknowledged)
    var found: [ClaimsViolation] = []
    if Set(done.map(\.worker)).count > 1 {
      found.append(ClaimsViolation(.once, "task \(task) was done twice", done))
    }
    if let first = done.first, let late = claims.first(where: { $0.start > first.end }) {
      found.append(
        ClaimsViolation(.once, "task \(task) was claimed after it was done", [first, late]))
    }
    if !ends.contains(where: { $0.isAcknowledged || $0.isKilled }) {
      found.append(ClaimsViolation(.complete, "task \(task) was never done"))
    }
    return found
  }

  /// Finds tasks that were claimed when one of their dependencies cannot have been done yet.
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
        .order, "task \(task) was claimed before task \(missing) was done",
        [claim] + (ends[missing] ?? []))
    }
  }

  /// Finds tasks that two workers got without a takeover, or that one did while another held them.
  private func holders(
    _ task: Int, _ claims: [ClaimsCall], _ ends: [ClaimsCall]
  ) -> [ClaimsViolation] {
    var found: [ClaimsViolation] = []
    // A worker that lost the answer to its claim asks again, and then is not told whom it took over
    // from.
    let lost = Set(lostClaims.map(\.worker))
    let fresh = claims.filter { $0.answer?.reclaimedFrom == nil && !lost.contains($0.worker) }
    if Set(fresh.map(\.worker)).count > 1 {
      found.append(ClaimsViolation(.holder, "task \(task) was claimed by several workers", fresh))
    }
    for end in ends where end.isAcknowledged {
      let own = claims.last { $0.worker == end.worker && $0.start < end.start }
      let other = claims.first { claim in
        claim.worker != end.worker && claim.end < end.start && claim.start > own?.end ?? 0
      }
      if own == nil || other != nil {
        found.append(
          ClaimsViolation(
            .holder, "task \(task) was done by a worker that did not hold it",
            [own, other, end].compactMap { $0 }))
      }
    }
    return found
  }

  private func leases(_ task: Int, _ claims: [ClaimsCall]) -> [ClaimsViolation] {
    claims.compactMap { claim in
      guard let holder = claim.answer?.reclaimedFrom else { return nil }
      let known = claims.last { $0.worker == holder && $0.end < claim.start }
      let lost = lostClaims.filter { $0.worker == holder && $0.start < claim.end }
      // The known lease, or else the earliest one that a lost claim can have got.
      let until = known?.answer?.leaseUntil ?? lost.map { $0.wallStart + lease }.min()
      if let until, until <= claim.wallEnd { return nil }
      // Both claims may have begun at the same time.
      if until == nil, claims.contains(where: { $0.worker == holder && $0.start < claim.end }) {
        return nil
      }
      let message = "task \(task) was taken from \(holder) before its lease expired"
      return ClaimsViolation(.lease, message, [known, claim].compactMap { $0 })
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
        // Refused rightly if another worker holds the task or held it.
        let other = claims[call.task ?? 0]?.contains {
          $0.worker != call.worker && $0.start < call.end
        }
        message = other == true || firstLost < call.end ? nil : "the holder of a task was refused"
      case .exited: message = "a call failed"
      }
      return message.map { ClaimsViolation(.answered, $0, [call]) }
    }
  }
}
