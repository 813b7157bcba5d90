// Plans and their state
//
// What is there: the plan, PLAN.md, which people write and programs only read; beside it PLAN.state.json,
// how far its tasks have come; and PLAN.lock, an empty file. A plan whose name does not end in .md has
// PLAN.plan-state.json and PLAN.plan-lock, so that PLAN and PLAN.md share nothing. (Version 0.1 gave both
// the same names. Its state of PLAN is renamed by the first change, where there is no PLAN.md.) Where the
// plan is a symbolic link, they lie beside the file that it leads to, so that all names of a plan share
// one state.
//
// Who changes the state takes flock(2) on PLAN.lock, which is made when it is missing and never removed,
// then on the plan itself; then reads the plan and the state, and puts the new state in the place of the
// old one as a whole (AtomicFile). The state itself cannot be locked, as it is replaced; the directory is
// not, as other programs lock it for other things. The second lock keeps the guarantee when somebody
// deletes the lock file (git clean), the first one when an editor replaces the plan. It takes both within
// the milliseconds of one change to undo it. Where the plan cannot be locked, as it is opened for reading
// and NFS locks only what can be written, the first lock has to do. Who only reads takes no lock.
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
  /// Where version 0.1 kept the state, when that is another file, which is nobody else's now.
  private let oldStatePath: Path?
  /// A state of version 0.1 that was of this plan or of the one with `.md`: it counts for that one, and this
  /// plan has none of its own.
  public let ambiguousState: Path?
  /// Whether the plan is a pipe, which has no place for a state.
  private let isPipe: Bool

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
      // The call that the user knows of is another one. A pipe has no path of its own.
      guard (try? FileStatus.of(path))?.kind == .fifo else {
        throw .system(SystemError(.open, path, error.errno))
      }
      file = path
    }
    isPipe = file == path && (try? FileStatus.of(path))?.kind == .fifo
    let name = file.lastComponent
    let suffix = Bytes(".md")
    if name.count > suffix.count, name.suffix(3) == suffix[...] {
      let stem = Bytes(name.dropLast(3))
      statePath = file.parent.appending(stem + Bytes(".state.json"))
      lockPath = file.parent.appending(stem + Bytes(".lock"))
      oldStatePath = nil
      ambiguousState = nil
    } else {
      statePath = file.parent.appending(name + Bytes(".plan-state.json"))
      lockPath = file.parent.appending(name + Bytes(".plan-lock"))
      let isShared = (try? FileStatus.ofLink(file.parent.appending(name + suffix))) != nil
      let old = file.parent.appending(name + Bytes(".state.json"))
      oldStatePath = isShared ? nil : old
      let isAmbiguous = isShared && (try? FileStatus.ofLink(statePath)) == nil
      ambiguousState = isAmbiguous && (try? FileStatus.ofLink(old)) != nil ? old : nil
    }
  }

  /// The plan and what is wrong with it.
  public func read() throws(Failure) -> PlanReading {
    do throws(SystemError) {
      return Plan.read(try path.documentContents())
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
      guard let found = try stateText() else {
        return Contents(plan: reading.plan, state: PlanState(reading.plan), hasState: false)
      }
      text = found
    } catch {
      throw .system(error)
    }
    do throws(PlanStateError) {
      let state = try PlanState(text, reading.plan)
      return Contents(plan: reading.plan, state: state, hasState: true)
    } catch {
      throw .damaged(statePath, error.reason)
    }
  }

  private func stateText() throws(SystemError) -> Bytes? {
    if isPipe { throw SystemError(.open, path, .invalidArgument, found: .fifo) }
    for path in [statePath, oldStatePath].compactMap({ $0 }) {
      do throws(SystemError) { return try path.maintainedContents() } catch {
        if error.errno != .notFound { throw error }
      }
    }
    return nil
  }

  /// Changes the state under the locks, for which it waits until `deadline`: what `change` leaves is
  /// written when that differs from what was there, or the plan has changed since.
  public func update<Result>(
    until deadline: Instant, _ change: (inout Contents) -> Result
  ) throws(Failure) -> (contents: Contents, result: Result) {
    if isPipe { throw .system(SystemError(.open, path, .invalidArgument, found: .fifo)) }
    let directory = try system(Descriptor(opening: statePath.parent, .directory))
    let first = try system(LockFile(lockPath.lastComponent, in: directory))
    try lock(first.file, until: deadline)
    let second = try system(Descriptor(opening: path, .read))
    try lock(second, until: deadline)
    defer {
      // They last until here.
      _ = (first.status, second.path)
    }
    takeOverOldState(in: directory)
    var contents = try load()
    let before = contents.state.records
    let result = change(&contents)
    if contents.state.records != before || contents.state.edit != PlanState.Edit() {
      try write(contents)
    }
    return (contents, result)
  }

  private func system<Result: ~Copyable>(
    _ call: @autoclosure () throws(SystemError) -> Result
  ) throws(Failure) -> Result {
    do throws(SystemError) { return try call() } catch { throw .system(error) }
  }

  private func lock(
    _ file: borrowing Descriptor, until deadline: Instant
  ) throws(Failure) {
    do throws(SystemError) {
      if try file.lock(until: deadline) { return }
    } catch {
      if error.errno == .badDescriptor { return }
      throw .system(error)
    }
    throw .busy(file.path)
  }

  /// Renames a state of version 0.1, when there is none of this one. What cannot be renamed is read where
  /// it is. Under the locks.
  private func takeOverOldState(in directory: borrowing Descriptor) {
    guard let oldStatePath else { return }
    try? directory.renameExclusively(oldStatePath.lastComponent, to: statePath.lastComponent)
  }

  private func write(_ contents: Contents) throws(Failure) {
    do throws(SystemError) {
      let directory = try Descriptor(opening: statePath.parent, .directory)
      try AtomicFile.removeLeftovers(of: [statePath.lastComponent], in: directory)
      try AtomicFile.write(contents.state.json(contents.plan), to: statePath)
    } catch {
      throw .system(error)
    }
  }
}
