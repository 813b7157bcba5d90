/// The status of a file: stat(2).
public struct FileStatus: Sendable {
  /// A kind of file.
  public enum Kind: Sendable {
    /// A directory.
    case directory
    /// A regular file.
    case file
    /// A symbolic link.
    case symbolicLink
    /// A named pipe: fifo(7).
    case fifo
    /// A socket.
    case socket
    /// A device, or a kind that this program does not know.
    case device

    init(mode: CInterop.Mode) {
      switch mode & _S_IFMT {
      case _S_IFDIR: self = .directory
      case _S_IFREG: self = .file
      case _S_IFLNK: self = .symbolicLink
      case _S_IFIFO: self = .fifo
      case _S_IFSOCK: self = .socket
      default: self = .device
      }
    }
  }

  /// The kind of file.
  public let kind: Kind
  /// The owning group.
  public let group: UInt32
  /// The owning user.
  public let owner: UInt32
  /// The permission bits with the set-ID and sticky bits: the lower twelve bits of the mode.
  public let permissions: UInt16
  /// The ID of its device.
  public let device: UInt64
  /// Its inode number on that device.
  public let inode: UInt64
  /// Its size in bytes.
  public let size: UInt64
  /// The number of hard links. For a directory, most file systems count its subdirectories plus 2;
  /// others always say 1.
  public let links: UInt64
  /// When the contents last changed: mtime.
  public let modified: WallTime
  /// When the contents or the status last changed: ctime, which no program can set.
  public let changed: ChangeTime

  /// A timestamp of the file system.
  public struct ChangeTime: Hashable, Sendable {
    /// Seconds since 1970-01-01T00:00:00Z.
    public let seconds: Int
    /// Nanoseconds of the second.
    public let nanoseconds: Int

    init(_ time: CInterop.TimeSpecification) {
      seconds = Int(time.tv_sec)
      nanoseconds = Int(time.tv_nsec)
    }
  }

  /// The major device number, as in /proc/locks: major(3).
  public var deviceMajor: UInt64 { (device >> 8) & 0xFFF | (device >> 32) & ~0xFFF }
  /// The minor device number, as in /proc/locks: minor(3).
  public var deviceMinor: UInt64 { device & 0xFF | (device >> 12) & ~0xFF }

  init(_ status: CInterop.Stat) {
    kind = Kind(mode: status.st_mode)
    permissions = UInt16(status.st_mode & 0o7777)
    group = status.st_gid
    owner = status.st_uid
    device = UInt64(truncatingIfNeeded: status.st_dev)
    inode = UInt64(status.st_ino)
    size = UInt64(max(status.st_size, 0))
    links = UInt64(status.st_nlink)
    modified = WallTime(secondsSince1970: status.modificationTime.tv_sec)
    changed = ChangeTime(status.changeTime)
  }

  /// Whether it is a directory shared by its group, as in git's shared repositories: it has the
  /// set-group-ID bit, and the group can write to it.
  public var isSharedWithGroup: Bool { kind == .directory && permissions & 0o2020 == 0o2020 }

  /// Whether both are the same file: same device and inode.
  public func isSameFile(as other: FileStatus) -> Bool {
    device == other.device && inode == other.inode
  }

  /// Returns the status of the file at `path`, following links: stat(2).
  public static func of(_ path: Path) throws(SystemError) -> FileStatus {
    var buffer = CInterop.Stat()
    try perform(.stat, path) { path.withCString { libc_stat($0, &buffer) } }
    return FileStatus(buffer)
  }

  /// Returns the status of `path` without following a link: lstat(2).
  public static func ofLink(_ path: Path) throws(SystemError) -> FileStatus {
    var buffer = CInterop.Stat()
    try perform(.lstat, path) { path.withCString { libc_lstat($0, &buffer) } }
    return FileStatus(buffer)
  }
}

extension Path {
  /// The birth time in nanoseconds since 1970; does not follow a link. If it is unknown,
  /// the time when the contents last changed: statx(2).
  public func birthTime() throws(SystemError) -> Int64 {
    let status = try FileStatus.ofLink(self)
    let birth = withCString { birth_time($0) }
    return birth > 0 ? Int64(birth) : Int64(status.modified.secondsSince1970) * 1_000_000_000
  }

  /// Whether something exists at this path and this process can reach it: access(2).
  public var isReachable: Bool {
    (try? perform(.access, self) { withCString { libc_access($0, _F_OK) } }) != nil
  }

  /// Whether this process may execute the file: access(2).
  public var isExecutable: Bool {
    (try? perform(.access, self) { withCString { libc_access($0, _X_OK) } }) != nil
  }
}

extension Descriptor {
  /// Returns the status of the file: fstat(2).
  public func status() throws(SystemError) -> FileStatus {
    var buffer = CInterop.Stat()
    try perform(.fstat, path) { libc_fstat(number, &buffer) }
    return FileStatus(buffer)
  }

  /// Returns the status of the entry `name` without following a link; nil if it does not exist:
  /// fstatat(2).
  public func status(of name: Bytes) throws(SystemError) -> FileStatus? {
    var buffer = CInterop.Stat()
    do throws(SystemError) {
      try perform(.fstatat, path.appending(name)) {
        Path(name).withCString { libc_fstatat(number, $0, &buffer, _AT_SYMLINK_NOFOLLOW) }
      }
    } catch {
      if error.errno == .notFound { return nil }
      throw error
    }
    return FileStatus(buffer)
  }
}
