/// An error number of the C library: errno(3).
public struct Errno: RawRepresentable, Hashable, Sendable {
  /// The number, one of the `E…` constants of this platform.
  public let rawValue: Int32

  /// The error with this number.
  public init(rawValue: Int32) {
    self.rawValue = rawValue
  }

  /// What the C library calls it, such as `No space left on device`: strerror(3).
  public var message: String {
    libc_strerror(rawValue).map { String(cString: $0) } ?? "error \(rawValue)"
  }

  /// Permission denied.
  public static let accessDenied = Errno(rawValue: _EACCES)
  /// A descriptor that is not open, or not open for this.
  public static let badDescriptor = Errno(rawValue: _EBADF)
  /// The other end of a pipe is closed.
  public static let brokenPipe = Errno(rawValue: _EPIPE)
  /// The user's quota is used up.
  public static let diskQuota = Errno(rawValue: _EDQUOT)
  /// A file of that name is there.
  public static let exists = Errno(rawValue: _EEXIST)
  /// A file that is larger than the program or the system takes.
  public static let fileTooLarge = Errno(rawValue: _EFBIG)
  /// Input or output failed.
  public static let inputOutput = Errno(rawValue: _EIO)
  /// A signal came first.
  public static let interrupted = Errno(rawValue: _EINTR)
  /// An argument that this call cannot take.
  public static let invalidArgument = Errno(rawValue: _EINVAL)
  /// A directory where a file should be.
  public static let isDirectory = Errno(rawValue: _EISDIR)
  /// Symbolic links that lead in a circle.
  public static let linkLoop = Errno(rawValue: _ELOOP)
  /// A name or path that is longer than the file system takes.
  public static let nameTooLong = Errno(rawValue: _ENAMETOOLONG)
  /// A socket, or a device that nobody drives.
  public static let noDevice = Errno(rawValue: _ENXIO)
  /// There is no child to wait for.
  public static let noChildren = Errno(rawValue: _ECHILD)
  /// No such file or directory.
  public static let notFound = Errno(rawValue: _ENOENT)
  /// The system has no lock to give, or no lock server.
  public static let noLocks = Errno(rawValue: _ENOLCK)
  /// No space left on the device.
  public static let noSpace = Errno(rawValue: _ENOSPC)
  /// A file where a directory should be.
  public static let notDirectory = Errno(rawValue: _ENOTDIR)
  /// The system or file system does not know this call.
  public static let notImplemented = Errno(rawValue: _ENOSYS)
  /// The file system cannot do this.
  public static let notSupported = Errno(rawValue: _EOPNOTSUPP)
  /// An operation that needs another owner or privilege.
  public static let notPermitted = Errno(rawValue: _EPERM)
  /// A file system that is mounted read-only.
  public static let readOnly = Errno(rawValue: _EROFS)
  /// A number that is larger or smaller than any that is taken.
  public static let outOfRange = Errno(rawValue: _ERANGE)
  /// This process has as many descriptors as it may.
  public static let tooManyOpenFiles = Errno(rawValue: _EMFILE)
  /// A file that has as many names as it may.
  public static let tooManyLinks = Errno(rawValue: _EMLINK)
  /// The system has as many open files as it may.
  public static let tooManyOpenFilesInSystem = Errno(rawValue: _ENFILE)
  /// The lock is held by another.
  public static let wouldBlock = Errno(rawValue: _EWOULDBLOCK)
}
