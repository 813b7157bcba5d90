// Plans and their state
//
// What is there: the plan, PLAN.md, which people write and programs only read; beside it PLAN.state.json,
// how far its tasks have come; and PLAN.lock, an empty file. Where the plan is a symbolic link, they lie
// beside the file that it leads to, so that all names of a plan share one state.
//
// Who changes the state takes flock(2) on PLAN.lock, which is made when it is missing and never removed,
// then reads the plan and the state, and puts the new state in the place of the old one as a whole
// (AtomicFile). The state itself cannot be locked, as it is replaced; the directory is not, as other
// programs lock it for other things. Somebody may delete the lock file all the same (git clean): who has
// the lock looks whether the file is still the one that the path leads to, after it got the lock and
// before it writes, and else begins again. What is left of that gap is the time of one rename. Who only
// reads takes no lock.
//
// After a crash at any call the old state is there or the new one, and the lock is free. What a crash
// leaves of a state that was being written is removed by the next writer, which knows under the lock
// that it belongs to nobody.
//
// Leases are judged by the wall clock, as they have to outlive a restart of the machine. Who sets it
// forward ends them early.

import POSIX

/// A plan with the state that lies beside it.
public struct PlanStore: Sendable {
  /// The plan as it was named.
  public let path: Path
  /// Where the state lies.
  public let statePath: Path
  /// Where the lock lies.
  public let lockPath: Path

  /// Why there is no plan or no state to be had.
  public enum Failure: Error {
    /// A call failed.
    case system(SystemError)
    /// The plan is not good.
    case defects(PlanReading)
    /// The state is no state of a plan, and why.
    case damaged(Path, String)
    /// Others held the lock until the time was up.
    case busy(Path)
  }

  /// A plan and how far it has come.
  public struct Contents: Sendable {
    /// The plan, without a defect.
    public let plan: Plan
    /// How far it has come.
    public var state: PlanState
    /// Whether there was a state.
    public let hasState: Bool
  }

  /// The plan at this path, which must exist.
  public init(_ path: Path) throws(Failure) {
    self.path = path
    let file: Path
    do throws(SystemError) { file = try path.resolved() } catch {
      // The call that the user knows of is another one.
      throw .system(SystemError(.open, path, error.errno))
    }
    let name = file.lastComponent
    let suffix = Bytes(".md")
    let stem =
      name.count > suffix.count && name.suffix(3) == suffix[...] ? name.dropLast(3) : name[...]
    statePath = file.parent.appending(stem + Bytes(".state.json"))
    lockPath = file.parent.appending(stem + Bytes(".lock"))
  }

  /// The plan and what is wrong with it.
  public func read() throws(Failure) -> PlanReading {
    do throws(SystemError) {
      return Plan.read(try Descriptor(opening: path, .read).readToEnd())
    } catch {
      throw .system(error)
    }
  }

  /// The plan, which is good, and its state.
  public func load() throws(Failure) -> Contents {
    let reading = try read()
    guard reading.defects.isEmpty else { throw .defects(reading) }
    let text: Bytes
    do throws(SystemError) {
      text = try Descriptor(opening: statePath, .read).readToEnd()
    } catch {
      guard error.errno == .notFound else { throw .system(error) }
      return Contents(plan: reading.plan, state: PlanState(reading.plan), hasState: false)
    }
    do throws(PlanStateError) {
      let state = try PlanState(text, reading.plan)
      return Contents(plan: reading.plan, state: state, hasState: true)
    } catch {
      throw .damaged(statePath, error.reason)
    }
  }

  /// Changes the state under the lock, for which it waits until `deadline`: what `change` leaves is
  /// written when that differs from what was there, or the plan has changed since.
  public func update<Result>(
    until deadline: Instant, _ change: (inout Contents) -> Result
  ) throws(Failure) -> (contents: Contents, result: Result) {
    while true {
      let lock = try lock(until: deadline)
      var contents = try load()
      let before = contents.state.records
      let result = change(&contents)
      let isNew = contents.state.records != before || contents.state.edit != PlanState.Edit()
      if isNew {
        guard try isInPlace(lock) else { continue }
        try write(contents)
      }
      return (contents, result)
    }
  }

  /// The lock file, locked until the value ends.
  private func lock(until deadline: Instant) throws(Failure) -> Descriptor {
    while true {
      let file = try openLock(until: deadline)
      if try isInPlace(file) { return file }
    }
  }

  private func openLock(until deadline: Instant) throws(Failure) -> Descriptor {
    do throws(SystemError) {
      let file = try Descriptor(opening: lockPath, .appending)
      if try file.lock(until: deadline) { return file }
    } catch {
      throw .system(error)
    }
    throw .busy(lockPath)
  }

  private func isInPlace(_ lock: borrowing Descriptor) throws(Failure) -> Bool {
    do throws(SystemError) {
      let there = try FileStatus.of(lockPath)
      return try lock.status().isSameFile(as: there)
    } catch {
      if error.errno == .notFound { return false }
      throw .system(error)
    }
  }

  private func write(_ contents: Contents) throws(Failure) {
    do throws(SystemError) {
      try removeLeftovers()
      try AtomicFile.write(contents.state.json(contents.plan), to: statePath)
    } catch {
      throw .system(error)
    }
  }

  private func removeLeftovers() throws(SystemError) {
    let directory = try Descriptor(opening: statePath.parent, .directory)
    let name = statePath.lastComponent
    var names: [Bytes] = []
    try directory.forEachEntry { entry, _ in
      let entry = Bytes(entry)
      if AtomicFile.isTemporary(entry, of: name) { names.append(entry) }
    }
    for name in names { try? directory.removeFile(name) }
  }
}
