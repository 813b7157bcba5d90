/// An open file or directory, closed when the value is destroyed: close(2).
///
/// Closing releases a lock taken through it.
public struct Descriptor: ~Copyable {
  let number: Int32
  /// The path it was opened with, for errors.
  public let path: Path

  /// How to open a file.
  public enum Access: Sendable {
    /// Opens an existing file for reading. Does not wait for the writer of a pipe.
    case read
    /// Opens a file or a pipe that a user names, for reading. Waits for the writer of a pipe.
    case input
    /// Opens an existing file for reading; fails if it is a symbolic link.
    case readNoLink
    /// Opens an existing file for reading and writing; fails if it is a symbolic link.
    case readWriteNoLink
    /// Opens an existing file for reading and appending; fails if it is a symbolic link.
    case appendNoLink
    /// Creates an empty file for reading and writing; fails if the name exists.
    case creatingNew(NewPermissions)
    /// Opens an existing directory to read its entries.
    case directory
    /// Opens an existing directory to read its entries; fails if it is a symbolic link.
    case directoryNoLink

    fileprivate var flags: Int32 {
      switch self {
      case .read: _O_RDONLY | _O_CLOEXEC | _O_NONBLOCK
      case .input: _O_RDONLY | _O_CLOEXEC
      case .readNoLink: _O_RDONLY | _O_CLOEXEC | _O_NONBLOCK | _O_NOFOLLOW
      case .readWriteNoLink: _O_RDWR | _O_CLOEXEC | _O_NONBLOCK | _O_NOFOLLOW
      case .appendNoLink: _O_RDWR | _O_APPEND | _O_CLOEXEC | _O_NONBLOCK | _O_NOFOLLOW
      case .creatingNew: _O_RDWR | _O_CREAT | _O_EXCL | _O_CLOEXEC | _O_NOFOLLOW
      case .directory: _O_RDONLY | _O_DIRECTORY | _O_CLOEXEC
      case .directoryNoLink: _O_RDONLY | _O_DIRECTORY | _O_CLOEXEC | _O_NOFOLLOW
      }
    }

    fileprivate var call: SystemCall {
      if case .creatingNew = self { .creat } else { .open }
    }
  }

  /// Opens `path`: open(2).
  public init(opening path: Path, _ access: Access) throws(SystemError) {
    try self.init(at: _AT_FDCWD, path, access, path)
  }

  /// Opens `name` in `directory`, even if that has been moved: openat(2).
  public init(
    opening name: Bytes, in directory: borrowing Descriptor, _ access: Access
  ) throws(SystemError) {
    try self.init(at: directory.number, Path(name), access, directory.path.appending(name))
  }

  /// Creates an empty, unnamed file for reading and writing: memfd_create(2). Errors name `path`.
  public init(inMemoryFor path: Path) throws(SystemError) {
    number = try Self.aboveStandardStreams(perform(.open, path) { memory_file() }, path)
    self.path = path
  }

  /// Duplicates a descriptor and moves the shared position to the beginning: dup(2), lseek(2).
  init(rewinding other: borrowing Descriptor) throws(SystemError) {
    let copy = try perform(.fcntl, other.path) { libc_fcntl(other.number, _F_DUPFD_CLOEXEC, 3) }
    _ = libc_lseek(copy, 0, _SEEK_SET)
    (number, path) = (copy, other.path)
  }

  private init(
    at directory: Int32, _ relative: Path, _ access: Access, _ path: Path
  ) throws(SystemError) {
    let opened = try perform(access.call, path) {
      relative.withCString { name in
        guard case .creatingNew(let permissions) = access else {
          return libc_openat(directory, name, access.flags)
        }
        return permissions.apply { libc_openat(directory, name, access.flags, $0) }
      }
    }
    number = try Self.aboveStandardStreams(opened, path)
    self.path = path
  }

  deinit { libc_close(number) }

  /// Moves a descriptor from 0, 1 or 2 to a higher number.
  ///
  /// If a process starts with standard output closed, the first file that it opens gets descriptor
  /// 1. It would then print into that file.
  static func aboveStandardStreams(_ opened: Int32, _ path: Path) throws(SystemError) -> Int32 {
    guard opened <= 2 else { return opened }
    defer { libc_close(opened) }
    do {
      return try perform(.fcntl, path) { libc_fcntl(opened, _F_DUPFD_CLOEXEC, 3) }
    } catch {
      // The kernel reports this if the limit allows no descriptor as high as 3.
      throw error.errno == .invalidArgument ? SystemError(.fcntl, path, .tooManyOpenFiles) : error
    }
  }

  /// Sets the permission bits of the file: fchmod(2).
  func setPermissions(_ permissions: UInt16) throws(SystemError) {
    try perform(.fchmod, path) { libc_fchmod(number, CInterop.Mode(permissions)) }
  }

  /// Syncs the file to disk; for a directory, its entries: fsync(2).
  public func synchronize() throws(SystemError) {
    try perform(.fsync, path) { libc_fsync(number) }
  }

  /// Sets the group of the file, to one that the process belongs to: fchown(2).
  public func setGroup(_ group: UInt32) throws(SystemError) {
    try perform(.fchown, path) { libc_fchown(number, .max, group) }
  }
}
