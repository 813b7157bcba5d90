// The lock protocol
//
// What it protects: "the highest number of a root is h" stays true from the moment it is read
// until the directory with h + 1 exists.
//
// Who takes what, in this order:
//
//   1. ROOT/.topic_number.lock   flock(2), exclusive. The bash libraries in use lock this file
//                                and nothing else. Everybody takes it first, so they can run
//                                beside this program without a collision.
//   2. ROOT itself               flock(2), exclusive, on the directory. Nobody can delete and
//                                recreate it while somebody works in it, so users of this program
//                                keep the guarantee even if the lock file is deleted.
//
// All callers take both in the same order, so there is no deadlock. They release them in the
// opposite order.
//
// After a crash: both locks belong to open files, so the kernel releases them when the process is
// gone, whichever signal ended it. What remains is a directory with the next number, or none;
// there is no state to repair.
//
// A deleted lock file (git clean): callers that wait for the old one and callers that open the new
// one meet at the second lock. Until the last of the former is done, a bash library that locks only
// the new file is not excluded. That is why this program never deletes the lock file.
//
// The lock file is empty and stays empty. One of its extended attributes records the highest number;
// no lock depends on it: NumberRecord.swift.
//
// A root that is renamed, replaced or removed while a call waits for its lock: once the call holds
// both locks, it looks the path up again. If the path leads to another directory, or to none, the
// call starts over, so at that moment the reported path is the locked one.
//
// The owner of the lock file does not matter: flock(2) accepts a file that is open for reading, too.
// LockFile.swift creates and opens it so that the bash library of every user who may add topics can
// open it for writing, as those libraries do. Anything else of its name, such as a symbolic link, is
// an error.
//
// A root in which no lock file can be created: others cannot create one either, so only the second
// lock is taken. Nothing can be created there, but an existing topic can be found (--reuse).
//
// NFS passes the lock of the lock file on to the server if the mount says so (nfs(5), local_lock),
// and wants it open for writing. The lock of the root excludes at most the processes of the same
// client; if it is refused, only the lock file protects.

import POSIX

/// A root and its lock file, open and locked for the lifetime of this value.
public struct RootLock: ~Copyable {
  /// The root, open for reading and for creating entries.
  public let directory: Descriptor
  private let lockFile: LockFile?
  private let outcome: Outcome
  /// How long the call waited for the locks.
  let waited: Duration
  /// When it got both.
  let acquired: Instant
  /// Counts the changes of the root from then on, if there can be a record.
  private var watch: EntryWatch?
  /// The state of the root when that began.
  private var status: FileStatus?

  private enum Outcome {
    case held, lockFileBusy, directoryBusy
  }

  /// The lock that another process held until the deadline; nil if this value holds both.
  var busy: Path? {
    switch outcome {
    case .held: nil
    case .lockFileBusy: directory.path.appending(Root.lockFileName)
    case .directoryBusy: directory.path
    }
  }

  /// Takes both locks of `root`, which is created if it is missing. Waits at most `timeout` nanoseconds.
  public static func acquire(_ root: Root, timeout: Duration) throws(AllocationError) -> RootLock {
    let begin = Instant.now
    let deadline = begin + timeout
    var root = root
    var busy = root.path
    var hasFailed = false
    // If somebody moves the root again and again, the lock is reported as busy.
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
        // It has disappeared since it was looked up: start over.
        guard error.errno == .notFound, let again = try? Root(locating: root.path) else {
          throw .system(error)
        }
        // In some directories, such as /proc, nothing can be created, and the kernel says ENOENT.
        let isTheSame = again.path == root.path && again.missing == root.missing
        if error.call == .mkdir, isTheSame, hasFailed { throw .system(error) }
        hasFailed = error.call == .mkdir
        root = again
      }
    }
    throw .lockBusy(
      busy, LockHolder.of(busy), waited: Instant.now - begin)
  }

  /// Opens the root at `path` and waits for both locks until `deadline`; ``busy`` says whether it failed.
  /// If the lock file is missing and `makesLockFile` is false, it takes only the lock of the root.
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
    waited = acquired - begin
  }

  /// Releases both locks, that of the directory first; returns the moment before.
  public consuming func release() -> Instant {
    let released = Instant.now
    _ = consume self
    return released
  }

  /// Whether its path still leads to this root. Watches the root from now on.
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

  /// The highest number of the root, if there is a valid record of it.
  func recordedHighest(_ style: Style) -> Int? {
    guard watch != nil, let status else { return nil }
    return switch lockFile {
    case .none: nil
    case .some(let file): NumberRecord(of: file, status, style)?.highest
    }
  }

  /// Records the highest number, unless anything but the creation of this many topics happened to the root
  /// since it was locked.
  func record(highest: Int, created: Int, _ style: Style) {
    // If inodes have no room for nanoseconds, changes within a second have the same time.
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
      // The file system locks only files that are open for writing.
      if error.errno == .badDescriptor { return true }
      throw error
    }
  }

  /// Nil if there is none and none can be created.
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
