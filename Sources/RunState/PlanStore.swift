// Plans and their state
//
// What is there: the plan, PLAN.md, which people write and programs only read; beside it PLAN.state.json,
// how far its tasks have come; and PLAN.lock, an empty file. Where the plan is a symbolic link, they lie
// beside the file that it leads to, so that all names of a plan share one state.
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

  /// Changes the state under the locks, for which it waits until `deadline`: what `change` leaves is
  /// written when that differs from what was there, or the plan has changed since.
  public func update<Result>(
    until deadline: Instant, _ change: (inout Contents) -> Result
  ) throws(Failure) -> (contents: Contents, result: Result) {
    let first = try lock(lockPath, .appending, until: deadline)
    let second = try lock(path, .read, until: deadline)
    defer {
      // They last until here.
      _ = (first.path, second.path)
    }
    var contents = try load()
    let before = contents.state.records
    let result = change(&contents)
    if contents.state.records != before || contents.state.edit != PlanState.Edit() {
      try write(contents)
    }
    return (contents, result)
  }

  /// The file, locked until the value ends.
  private func lock(
    _ path: Path, _ access: Descriptor.Access, until deadline: Instant
  ) throws(Failure) -> Descriptor {
    do throws(SystemError) {
      let file = try Descriptor(opening: path, access)
      let isLocked: Bool
      do throws(SystemError) { isLocked = try file.lock(until: deadline) } catch {
        guard error.errno == .badDescriptor else { throw error }
        return file
      }
      if isLocked { return file }
    } catch {
      throw .system(error)
    }
    throw .busy(path)
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
