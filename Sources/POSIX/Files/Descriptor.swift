/// An open file or directory, closed when the value ends: close(2).
///
/// Closing also lets go of a lock that was taken through it.
public struct Descriptor: ~Copyable {
  let number: Int32
  /// What it was opened as; errors name it.
  public let path: Path

  /// How to open a file.
  public enum Access: Sendable {
    /// An existing file, for reading. Opening a pipe does not wait for its other end.
    case read
    /// What a user names to be read: a file, or a pipe, for whose writer it waits.
    case input
    /// An existing file that is no link itself, for reading.
    case readNoLink
    /// An existing file that is no link itself, for reading and writing.
    case readWriteNoLink
    /// An existing file that is no link itself, for reading, and for writing at its end only.
    case appendNoLink
    /// A new, empty file for reading and writing; an error when the name is taken, by whatever it
    /// is.
    case creatingNew(NewPermissions)
    /// An existing directory, for reading its entries.
    case directory
    /// An existing directory that is no link itself, for reading its entries.
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

  /// Opens `name` in `directory`, wherever that has been moved to: openat(2).
  public init(
    opening name: Bytes, in directory: borrowing Descriptor, _ access: Access
  ) throws(SystemError) {
    try self.init(at: directory.number, Path(name), access, directory.path.appending(name))
  }

  /// An empty file for reading and writing that no path leads to: memfd_create(2). Errors name `path`.
  public init(inMemoryFor path: Path) throws(SystemError) {
    number = try Self.aboveStandardStreams(perform(.open, path) { memory_file() }, path)
    self.path = path
  }

  /// The same open file, read from its beginning: dup(2), lseek(2).
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

  /// A process started with standard output closed gets descriptor 1 for the first file it opens,
  /// and would print into that file. Descriptors 0 to 2 are therefore traded for higher ones.
  static func aboveStandardStreams(_ opened: Int32, _ path: Path) throws(SystemError) -> Int32 {
    guard opened <= 2 else { return opened }
    defer { libc_close(opened) }
    do {
      return try perform(.fcntl, path) { libc_fcntl(opened, _F_DUPFD_CLOEXEC, 3) }
    } catch {
      // That is how the kernel says that the process may have no descriptor as high as 3.
      throw error.errno == .invalidArgument ? SystemError(.fcntl, path, .tooManyOpenFiles) : error
    }
  }

  /// Gives the file these permission bits: fchmod(2).
  func setPermissions(_ permissions: UInt16) throws(SystemError) {
    try perform(.fchmod, path) { libc_fchmod(number, CInterop.Mode(permissions)) }
  }

  /// Puts the file's data and, for a directory, its entries on the disk: fsync(2).
  public func synchronize() throws(SystemError) {
    try perform(.fsync, path) { libc_fsync(number) }
  }

  /// Gives the file to this group, of which the process must be a member: fchown(2).
  public func setGroup(_ group: UInt32) throws(SystemError) {
    try perform(.fchown, path) { libc_fchown(number, .max, group) }
  }
}
