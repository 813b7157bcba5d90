/// An error number of the C library: errno(3).
public struct Errno: RawRepresentable, Hashable, Sendable {
  /// The number, one of the `E…` constants of this platform.
  public let rawValue: Int32

  /// Creates the error with this number.
  public init(rawValue: Int32) {
    self.rawValue = rawValue
  }

  /// The text of the C library, such as `No space left on device`: strerror(3).
  public var message: String {
    libc_strerror(rawValue).map { String(cString: $0) } ?? "error \(rawValue)"
  }

  /// Permission denied.
  public static let accessDenied = Errno(rawValue: _EACCES)
  /// The descriptor is not open, or not for this operation.
  public static let badDescriptor = Errno(rawValue: _EBADF)
  /// The other end of a pipe is closed.
  public static let brokenPipe = Errno(rawValue: _EPIPE)
  /// The user's quota is used up.
  public static let diskQuota = Errno(rawValue: _EDQUOT)
  /// The file exists.
  public static let exists = Errno(rawValue: _EEXIST)
  /// The file is larger than the program or the system allows.
  public static let fileTooLarge = Errno(rawValue: _EFBIG)
  /// Input or output failed.
  public static let inputOutput = Errno(rawValue: _EIO)
  /// A signal interrupted the call.
  public static let interrupted = Errno(rawValue: _EINTR)
  /// The argument is not valid for this call.
  public static let invalidArgument = Errno(rawValue: _EINVAL)
  /// The file is a directory.
  public static let isDirectory = Errno(rawValue: _EISDIR)
  /// Too many symbolic links, or a link where none is allowed.
  public static let linkLoop = Errno(rawValue: _ELOOP)
  /// The name or path is longer than the file system allows.
  public static let nameTooLong = Errno(rawValue: _ENAMETOOLONG)
  /// The file is a socket, or a device without a driver.
  public static let noDevice = Errno(rawValue: _ENXIO)
  /// There are no child processes.
  public static let noChildren = Errno(rawValue: _ECHILD)
  /// No such file or directory.
  public static let notFound = Errno(rawValue: _ENOENT)
  /// The system has no locks left, or no lock server.
  public static let noLocks = Errno(rawValue: _ENOLCK)
  /// No space left on the device.
  public static let noSpace = Errno(rawValue: _ENOSPC)
  /// The file is not a directory.
  public static let notDirectory = Errno(rawValue: _ENOTDIR)
  /// The system or file system does not implement this call.
  public static let notImplemented = Errno(rawValue: _ENOSYS)
  /// The file system does not support this operation.
  public static let notSupported = Errno(rawValue: _EOPNOTSUPP)
  /// The operation needs another owner or a privilege.
  public static let notPermitted = Errno(rawValue: _EPERM)
  /// The file system is mounted read-only.
  public static let readOnly = Errno(rawValue: _EROFS)
  /// The number is out of range.
  public static let outOfRange = Errno(rawValue: _ERANGE)
  /// The process has too many open descriptors.
  public static let tooManyOpenFiles = Errno(rawValue: _EMFILE)
  /// The file has too many hard links.
  public static let tooManyLinks = Errno(rawValue: _EMLINK)
  /// The system has too many open files.
  public static let tooManyOpenFilesInSystem = Errno(rawValue: _ENFILE)
  /// Another holder has the lock, or the call would wait.
  public static let wouldBlock = Errno(rawValue: _EWOULDBLOCK)
}
