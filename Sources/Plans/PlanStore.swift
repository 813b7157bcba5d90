// Plans and their state
//
// There are three files. People write the plan, PLAN.md, and programs only read it. Beside it,
// PLAN.state.json holds the state of its tasks, and PLAN.lock is an empty file. A plan whose name
// does not end in .md has PLAN.plan-state.json and PLAN.plan-lock, so PLAN and PLAN.md share
// nothing. (Version 0.1 gave both the same names. The first change of PLAN renames such a state,
// unless there is a PLAN.md.) If the plan is a symbolic link, these files are beside the file that
// it leads to, so all names of a plan share one state.
//
// To change the state, a process takes flock(2) on PLAN.lock, which it creates if missing and never
// removes, and then on the plan itself. It reads the plan and the state, and replaces the state as
// a whole (AtomicFile). The state itself cannot be locked, because it is replaced. The directory is
// not locked, because other programs lock it for other purposes. The second lock protects the state
// when somebody deletes the lock file (git clean), the first when an editor replaces the plan. Only
// if both happen within the milliseconds of one change is it unprotected. If the plan cannot be
// locked (it is opened for reading, and NFS locks only writable files), the first lock must do.
// Readers take no lock.
//
// After a crash at any call, there is either the old state or the new one, and the lock is free.
// The next writer removes what a crash left of a half-written state: under the lock, it knows that
// nobody owns it.
//
// Leases are judged by the wall clock, because they must survive a restart of the machine. Setting
// it forward ends them early.

import POSIX

/// A plan, with the state that is kept beside it.
public struct PlanStore: Sendable {
  /// The plan, as the user names it.
  public let path: Path
  /// The file with the state.
  public let statePath: Path
  /// The lock file.
  private let lockPath: Path
  /// The file in which version 0.1 kept the state, if it is another one and no other plan has it
  /// now.
  private let oldStatePath: Path?
  /// A state from version 0.1 that may belong to this plan or to the one with `.md`. It counts for
  /// the latter; this plan has none.
  public let ambiguousState: Path?
  /// Whether the plan is a pipe, which cannot have a state.
  private let isPipe: Bool

  /// A plan and its state.
  public struct Contents: Sendable {
    /// The plan, which has no defects.
    public let plan: Plan
    /// The state of its tasks.
    public var state: PlanState
  }

  /// The plan at `path`, which must exist.
  public init(_ path: Path) throws(PlanStoreError) {
    self.path = path
    let file: Path
    do throws(SystemError) { file = try path.resolved() } catch {
      // For the user, it is the opening that failed. A pipe has no path of its own.
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

  /// Reads the plan, with everything that is wrong with it.
  public func read() throws(PlanStoreError) -> PlanReading {
    Plan.read(try system(path.documentContents()))
  }

  /// Reads the plan, which must have no defects.
  public func plan() throws(PlanStoreError) -> Plan {
    let reading = try read()
    guard reading.defects.isEmpty else { throw .defects(reading) }
    return reading.plan
  }

  /// Reads the plan, which must have no defects, and its state.
  public func load() throws(PlanStoreError) -> Contents {
    let plan = try plan()
    guard let text = try system(stateText()) else {
      return Contents(plan: plan, state: PlanState(plan))
    }
    do throws(PlanStateError) {
      return Contents(plan: plan, state: try PlanState(text, plan))
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

  /// Changes the state under the locks, waiting for them until `deadline`.
  ///
  /// The state is written if `change` has changed it, or if the plan has changed since it was
  /// written.
  public func update<Result>(
    until deadline: Instant, _ change: (inout Contents) -> Result
  ) throws(PlanStoreError) -> (contents: Contents, result: Result) {
    if isPipe { throw .system(SystemError(.open, path, .invalidArgument, found: .fifo)) }
    let directory = try system(Descriptor(opening: statePath.parent, .directory))
    let first = try system(LockFile(lockPath.lastComponent, in: directory))
    try lock(first.file, until: deadline)
    let second = try system(Descriptor(opening: path, .read))
    try lock(second, until: deadline)
    // Both locks are held until the end.
    defer { _ = (first.status, second.path) }
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
  ) throws(PlanStoreError) -> Result {
    do throws(SystemError) { return try call() } catch { throw .system(error) }
  }

  private func lock(
    _ file: borrowing Descriptor, until deadline: Instant
  ) throws(PlanStoreError) {
    do throws(SystemError) {
      try file.takeLock(until: deadline)
    } catch {
      if error.errno != .badDescriptor { throw .system(error) }
    }
  }

  /// Renames a state from version 0.1, unless there is a newer one. If it cannot be renamed, it is
  /// read where it is. Called under the locks.
  private func takeOverOldState(in directory: borrowing Descriptor) {
    guard let oldStatePath else { return }
    try? directory.renameExclusively(oldStatePath.lastComponent, to: statePath.lastComponent)
  }

  private func write(_ contents: Contents) throws(PlanStoreError) {
    let directory = try system(Descriptor(opening: statePath.parent, .directory))
    try system(AtomicFile.removeLeftovers(of: [statePath.lastComponent], in: directory))
    try system(AtomicFile.write(contents.state.json(contents.plan), to: statePath))
  }
}

/// Why a plan or its state is unavailable.
public enum PlanStoreError: Error {
  /// A call failed.
  case system(SystemError)
  /// The plan has defects.
  case defects(PlanReading)
  /// The file is not the state of a plan, for the reason given.
  case damaged(Path, String)
}
