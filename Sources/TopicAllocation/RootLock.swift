// The lock protocol
//
// What it protects: "the highest number of a root is h" stays true from the moment it is read
// until the directory with h + 1 exists.
//
// Who takes what, in this order:
//
//   1. ROOT/.topic_number.lock   flock(2), exclusive. The bash libraries in use lock this file
//                                and nothing else; as all take it first, they can run beside this
//                                program without a collision.
//   2. ROOT itself               flock(2), exclusive, on the directory. It cannot be deleted and
//                                made anew while somebody works in it, so it keeps the guarantee
//                                among users of this program when the lock file is deleted.
//
// All waiters take both in the same order, so there is no deadlock. Let go in the opposite order.
//
// After a crash: both locks belong to open files, so the kernel lets go of them when the process
// is gone, whichever signal ended it. What it leaves is a directory with the next number or none;
// there is no state to repair.
//
// A deleted lock file (git clean): those who wait for the old one and those who open the new one
// meet at the second lock. Until the last of the former is through, a bash library that locks the
// new file alone is not kept out. The lock file is never deleted by this program, for that reason.
//
// The lock file is empty, and stays empty. An extended attribute of it is a record of the highest
// number, which no lock depends on: NumberRecord.swift.
//
// A root that is renamed, replaced or removed while somebody waits for its lock: after both locks
// are held, the path is looked up again. When it leads to another directory, or to none, the work
// starts anew, so that at that moment the path that is reported is the one that is locked.
//
// Whose lock file it is does not matter: flock(2) takes one that is open for reading, too. How it is
// made and opened, so that a bash library of every user who may add topics can open it for writing, as
// those do: LockFile.swift. Something else with its name, such as a symbolic link, is an error.
//
// In a root where no lock file can be made, none can be made by others either: there the second
// lock alone is taken. Nothing can be created there, but a topic that exists can be found (--reuse).
//
// NFS passes the lock of the lock file on to the server where the mount says so (nfs(5),
// local_lock), and wants it open for writing. The lock of the root keeps apart at most the
// processes of one client there; where it is refused, the lock file alone protects.

import POSIX

/// A root and its lock file, open and locked until the value ends.
public struct RootLock: ~Copyable {
  /// The root, open for reading and for making entries.
  public let directory: Descriptor
  private let lockFile: LockFile?
  private let outcome: Outcome
  /// Nanoseconds from the wish for the locks to their possession.
  let waited: UInt64
  /// When both were had.
  let acquired: Instant
  /// Counts the changes of the root from then on, where there can be a record.
  private var watch: EntryWatch?
  /// How the root looked when that began.
  private var status: FileStatus?

  private enum Outcome {
    case held, lockFileBusy, directoryBusy
  }

  /// The lock that another held until the deadline; nil when both are held.
  var busy: Path? {
    switch outcome {
    case .held: nil
    case .lockFileBusy: directory.path.appending(Root.lockFileName)
    case .directoryBusy: directory.path
    }
  }

  /// Takes both locks of `root`, which is made when it is missing, waiting at most `timeout`
  /// nanoseconds.
  public static func acquire(_ root: Root, timeout: UInt64) throws(AllocationError) -> RootLock {
    let begin = Instant.now
    let deadline = begin.advanced(byNanoseconds: timeout)
    var root = root
    var busy = root.path
    var hasFailed = false
    // Whoever moves it about without end is told that the lock cannot be had.
    for _ in 0..<100 {
      do throws(SystemError) {
        try root.create()
        var lock = try RootLock(root.path, makesLockFile: true, since: begin, until: deadline)
        guard case .held = lock.outcome else {
          busy = lock.busy ?? busy
          break
        }
        if try lock.isStillThere() { return lock }
        root = try Root(locating: root.path)
      } catch {
        // Gone since it was looked up: once more, from the top.
        guard error.errno == .notFound, let again = try? Root(locating: root.path) else {
          throw .system(error)
        }
        // Below some directories, as in /proc, nothing can be made, and this is how the kernel says so.
        let isTheSame = again.path == root.path && again.missing == root.missing
        if error.call == .mkdir, isTheSame, hasFailed { throw .system(error) }
        hasFailed = error.call == .mkdir
        root = again
      }
    }
    throw .lockBusy(
      busy, LockHolder.of(busy), waited: Instant.now.nanoseconds(since: begin))
  }

  /// Opens the root at `path` and waits for both locks until `deadline`; ``busy`` says whether in
  /// vain. Where the lock file is missing and is not to be made, the root's lock alone is taken.
  init(
    _ path: Path, makesLockFile: Bool, since begin: Instant = .now, until deadline: Instant
  ) throws(SystemError) {
    let directory = try Descriptor(opening: path, .directory)
    let lockFile = try Self.openLockFile(in: directory, makesLockFile: makesLockFile)
    if try !Self.lock(lockFile, until: deadline) {
      outcome = .lockFileBusy
    } else if try !Self.lock(root: directory, until: deadline) {
      outcome = .directoryBusy
    } else {
      outcome = .held
    }
    if makesLockFile, case .held = outcome { Self.removeOldRecord(from: lockFile) }
    self.directory = directory
    self.lockFile = lockFile
    watch = nil
    status = nil
    acquired = .now
    waited = acquired.nanoseconds(since: begin)
  }

  /// Lets go of both, the directory's first; returns the moment before.
  public consuming func release() -> Instant {
    let released = Instant.now
    _ = consume self
    return released
  }

  /// Whether its path still leads to this root. From now on the root is watched.
  private mutating func isStillThere() throws(SystemError) -> Bool {
    if directory.hasDistinctChangeTimes { watch = try? EntryWatch(directory) }
    let status = try directory.status()
    self.status = status
    return try FileStatus.of(directory.path).isSameFile(as: status)
  }

  /// The permissions of a new topic, which is a file or a directory.
  func permissions(ofFile isFile: Bool) -> NewPermissions {
    switch (isFile, status) {
    case (true, let status?): .ofFile(in: status)
    case (false, let status?): .ofDirectory(in: status)
    case (true, nil): .ofFile
    case (false, nil): .ofDirectory
    }
  }

  /// The highest number of the root, when there is a record of it.
  func recordedHighest(_ style: Style) -> Int? {
    guard watch != nil, let status else { return nil }
    return switch lockFile {
    case .none: nil
    case .some(let file): NumberRecord(of: file, status, style)?.highest
    }
  }

  /// Keeps a record of the highest number, unless anything happened to the root since it was locked but
  /// the creation of so many topics.
  func record(highest: Int, created: Int, _ style: Style) {
    // Where inodes have no room for nanoseconds, changes within a second have the same time.
    guard let watch, let before = status, let after = try? directory.status(),
      after.changed != before.changed, after.changed.nanoseconds != 0,
      watch.changes(of: directory) == created
    else { return }
    switch lockFile {
    case .none: break
    case .some(let file): NumberRecord(highest: highest).write(to: file, of: after, style)
    }
  }

  private static func removeOldRecord(from lockFile: borrowing LockFile?) {
    switch lockFile {
    case .none: break
    case .some(let file): NumberRecord.removeFromContents(of: file)
    }
  }

  private static func lock(
    _ lockFile: borrowing LockFile?, until deadline: Instant
  ) throws(SystemError) -> Bool {
    switch lockFile {
    case .none: true
    case .some(let lock): try lock.file.lock(until: deadline)
    }
  }

  private static func lock(
    root: borrowing Descriptor, until deadline: Instant
  ) throws(SystemError) -> Bool {
    do {
      return try root.lock(until: deadline)
    } catch {
      // What the file system does not lock because it is not open for writing.
      if error.errno == .badDescriptor { return true }
      throw error
    }
  }

  /// Nil where there is none and none can be made.
  private static func openLockFile(
    in directory: borrowing Descriptor, makesLockFile: Bool
  ) throws(SystemError) -> LockFile? {
    do throws(SystemError) {
      return makesLockFile
        ? try LockFile(Root.lockFileName, in: directory)
        : try LockFile(existing: Root.lockFileName, in: directory)
    } catch {
      if error.errno == .notFound, !makesLockFile { return nil }
      let isForbidden = [.accessDenied, .notPermitted, .readOnly].contains(error.errno)
      if isForbidden, error.call == .creat { return nil }
      throw error
    }
  }
}
