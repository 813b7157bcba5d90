/// The C functions that this module calls and that can fail; `creat` is openat(2) when it makes a
/// file.
public enum SystemCall: String, CaseIterable, Sendable {
  case access, creat, fchmod, fchown, fcntl, fdopendir, fgetxattr, flock, fork, fsetxattr, fstat,
    fstatat, fstatfs, fsync, ftruncate, ioctl
  case linkat, lseek, lstat, mkdir, mkdirat, mkdtemp, mount, open, pipe, poll, pread, pwrite, read,
    readdir,
    realpath
  case renameat, renameat2, setitimer, stat, statvfs, symlinkat, unlinkat, waitpid, write
}

/// A call that failed: which, on what, and why.
public struct SystemError: Error, Hashable, Sendable {
  /// The C function that failed.
  public let call: SystemCall
  /// What it was called on; empty for a standard stream.
  public let path: Path
  /// Why.
  public let errno: Errno
  /// What is there, where that is the reason: the call needs a regular file.
  public let found: FileStatus.Kind?

  /// The failure of `call` on `path` for the reason `errno`.
  public init(
    _ call: SystemCall, _ path: Path, _ errno: Errno, found: FileStatus.Kind? = nil
  ) {
    self.call = call
    self.path = path
    self.errno = errno
    self.found = found
  }
}

/// Runs one call until a signal does not interrupt it; -1 becomes an error that says on what.
///
/// Every call of the module goes through here or through ``performOnce(_:_:_:)``, so that a test
/// can make the n-th one fail (``Fault``).
@inline(__always)
@discardableResult
func perform<Result: FixedWidthInteger>(
  _ call: SystemCall, _ path: @autoclosure () -> Path, _ body: () -> Result
) throws(SystemError) -> Result {
  while true {
    do {
      return try performOnce(call, path(), body)
    } catch {
      if error.errno != .interrupted { throw error }
    }
  }
}

/// As ``perform(_:_:_:)``, but a signal ends the call with `EINTR`.
@inline(__always)
@discardableResult
func performOnce<Result: FixedWidthInteger>(
  _ call: SystemCall, _ path: @autoclosure () -> Path, _ body: () -> Result
) throws(SystemError) -> Result {
  #if DEBUG
    if let injected = Fault.next(call, path()) { throw SystemError(call, path(), injected) }
  #endif
  let result = body()
  if result != -1 { return result }
  throw SystemError(call, path(), Errno(rawValue: libc_errno))
}
