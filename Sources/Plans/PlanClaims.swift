import POSIX

// Which worker may do what with a task. Call all of this under the lock of the plan, on the state
// that is read under it.

extension PlanState {
  /// The answer to a worker that claims a task.
  public enum Claim: Equatable, Sendable {
    /// The place of a task to work on, and the worker whose lease on it has expired.
    case task(Int, reclaimedFrom: String?)
    /// Nothing now, perhaps later.
    case nothingNow
    /// Nothing, because these tasks failed and all others wait for them.
    case blocked(by: [Int])
    /// All tasks are done.
    case allDone
  }

  /// Why a task cannot be changed.
  public enum Refusal: Error, Equatable, Sendable {
    /// The worker does not hold it.
    case notHolder
    /// It is already done.
    case isDone
    /// It is already pending.
    case isPending
  }

  /// The first group with a task that is not done. All later groups wait, even if the one just
  /// before them is done: a task may have been added to an earlier group.
  private func openGroup(_ plan: Plan) -> Int {
    let open = records.firstIndex { $0.status != .done }
    return open.flatMap { plan.tasks[$0].group } ?? plan.groups.count
  }

  /// The places of the tasks that can begin.
  public func ready(_ plan: Plan) -> [Int] {
    let open = openGroup(plan)
    return records.indices.filter { place in
      records[place].status == .pending && (plan.tasks[place].group ?? .max) <= open
        && plan.tasks[place].dependencies.allSatisfy { records[$0].status == .done }
    }
  }

  /// Gives `worker` the task that it has, with a new lease; or else the first one that can begin;
  /// or else the first one whose lease has expired at `now`.
  ///
  /// - Parameter lease: How many seconds the lease lasts; nil stands for the task's timeout. It
  ///   ends with a whole second, so it can last a second longer.
  public mutating func claim(
    _ worker: String, lease: Int?, at now: WallTime, _ plan: Plan
  ) -> Claim {
    func end(_ place: Int) -> WallTime {
      now.advanced(bySeconds: 1 + (lease ?? plan.tasks[place].timeout))
    }
    if let place = records.firstIndex(where: { $0.status == .claimed && $0.worker == worker }) {
      records[place].leaseUntil = end(place)
      return .task(place, reclaimedFrom: nil)
    }
    let expired = records.firstIndex { record in
      record.status == .claimed && (record.leaseUntil ?? now) <= now
    }
    guard let place = ready(plan).first ?? expired else { return nothing(plan) }
    let holder = records[place].status == .claimed ? records[place].worker : nil
    records[place] = Record(
      status: .claimed, worker: worker, claimedAt: now, leaseUntil: end(place),
      attempts: min(records[place].attempts + 1, Record.mostAttempts))
    return .task(place, reclaimedFrom: holder)
  }

  private func nothing(_ plan: Plan) -> Claim {
    if records.allSatisfy({ $0.status == .done }) { return .allDone }
    if count(.claimed) > 0 { return .nothingNow }
    return .blocked(by: records.indices.filter { records[$0].status == .failed })
  }

  /// Ends the work of `worker` on the task as done or failed, or puts the task back.
  ///
  /// Ending it twice in the same way is not an error: a worker that lost the answer may ask again.
  public mutating func end(
    _ place: Int, as status: Status, by worker: String
  ) throws(Refusal) {
    let record = records[place]
    if record.status == status, status != .pending, record.worker == worker { return }
    guard record.status == .claimed, record.worker == worker else { throw .notHolder }
    put(place, status)
  }

  /// Puts the task back, whoever has it, and even if it failed. A task that is done stays done, so
  /// that it is not done twice.
  public mutating func forceRelease(_ place: Int) throws(Refusal) {
    switch records[place].status {
    case .done: throw .isDone
    case .pending: throw .isPending
    case .claimed, .failed: put(place, .pending)
    }
  }

  private mutating func put(_ place: Int, _ status: Status) {
    records[place].status = status
    records[place].leaseUntil = nil
    records[place].claimedAt = nil
    if status == .pending { records[place].worker = nil }
  }
}
