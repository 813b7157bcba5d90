import POSIX

// Who may do what to a task. All of it happens under the lock of the plan, on the state as it is then.

extension PlanState {
  /// What a worker gets.
  public enum Claim: Equatable, Sendable {
    /// A task to work on: its place, and who had it until the lease ran out.
    case task(Int, reclaimedFrom: String?)
    /// Nothing now; later perhaps.
    case nothingNow
    /// Nothing any more: these tasks failed, and all the others wait for them.
    case blocked(by: [Int])
    /// All is done.
    case allDone
  }

  /// Why a task cannot be changed.
  public enum Refusal: Error, Equatable, Sendable {
    /// It is another one's, or nobody's.
    case notHolder
    /// It is done.
    case isDone
    /// It is pending already.
    case isPending
  }

  /// Whether all that the task waits for is done.
  public func isReady(_ place: Int, _ plan: Plan) -> Bool {
    guard let group = plan.tasks[place].group else { return false }
    return group <= openGroup(plan) && hasDependencies(place, plan)
  }

  /// The first group with a task that is not done. Groups behind it wait, also when only the one just
  /// before them is done: a task may have been added to an earlier one.
  private func openGroup(_ plan: Plan) -> Int {
    let open = records.firstIndex { $0.status != .done }
    return open.flatMap { plan.tasks[$0].group } ?? plan.groups.count
  }

  private func hasDependencies(_ place: Int, _ plan: Plan) -> Bool {
    plan.tasks[place].dependencies.allSatisfy { records[$0].status == .done }
  }

  /// The places of the tasks that can be begun.
  public func ready(_ plan: Plan) -> [Int] {
    let open = openGroup(plan)
    return records.indices.filter { place in
      records[place].status == .pending && (plan.tasks[place].group ?? .max) <= open
        && hasDependencies(place, plan)
    }
  }

  /// Gives `worker` the task that it has, with a new lease; else the first one that can be begun; else the
  /// first one whose lease is over at `now`.
  ///
  /// The lease lasts `lease` seconds or as long as the task's timeout says, and up to a second more, as
  /// it ends with a whole second.
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
    let over = records.firstIndex { record in
      record.status == .claimed && (record.leaseUntil ?? now) <= now
    }
    guard let place = ready(plan).first ?? over else { return nothing(plan) }
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

  /// Ends the work of `worker` on the task, as done or as failed, or puts it back. That it is done by the
  /// same worker already is no error, as a call may be repeated whose answer was lost.
  public mutating func end(
    _ place: Int, as status: Status, by worker: String
  ) throws(Refusal) {
    let record = records[place]
    if record.status == status, status != .pending, record.worker == worker { return }
    guard record.status == .claimed, record.worker == worker else { throw .notHolder }
    put(place, status)
  }

  /// Puts the task back, whoever has it and also when it failed; not when it is done, as it could be
  /// done twice then.
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
