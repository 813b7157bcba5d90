/// The C functions that this module calls and that can fail. `creat` is an openat(2) that creates a
/// file.
public enum SystemCall: String, CaseIterable, Sendable {
  case access, creat, fchmod, fchown, fcntl, fdopendir, fgetxattr, flock, fork, fsetxattr, fstat,
    fstatat, fstatfs, fsync, ftruncate, ioctl
  case linkat, lseek, lstat, mkdir, mkdirat, mkdtemp, mount, open, pipe, poll, pread, pwrite, read,
    readdir,
    realpath
  case renameat, renameat2, setitimer, stat, statvfs, symlinkat, unlinkat, waitpid, write
}

/// A failed call: the function, its path, and the reason.
public struct SystemError: Error, Hashable, Sendable {
  /// The C function that failed.
  public let call: SystemCall
  /// The path it was called on; empty for a standard stream.
  public let path: Path
  /// The reason.
  public let errno: Errno
  /// The kind of file that was found, if the call needs a regular file and found something else.
  public let found: FileStatus.Kind?

  /// Creates the error for `call` on `path`.
  public init(
    _ call: SystemCall, _ path: Path, _ errno: Errno, found: FileStatus.Kind? = nil
  ) {
    self.call = call
    self.path = path
    self.errno = errno
    self.found = found
  }
}

/// Runs a call, and repeats it while signals interrupt it. A result of -1 becomes an error.
///
/// Every call of the module goes through this function or ``performOnce(_:_:_:)``, so a test can
/// make the n-th one fail (``Fault``).
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

/// Runs a call once: if a signal interrupts it, it fails with `EINTR`.
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
