import CSystem

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#elseif canImport(Darwin)
  import Darwin
#endif

/// What the kernel says of a file: stat(2).
public struct FileStatus: Sendable {
  /// What a file can be.
  public enum Kind: Sendable {
    /// A directory.
    case directory
    /// A regular file.
    case file
    /// A symbolic link.
    case symbolicLink
    /// A pipe, a socket or a device.
    case other

    init(mode: mode_t) {
      switch mode & S_IFMT {
      case S_IFDIR: self = .directory
      case S_IFREG: self = .file
      case S_IFLNK: self = .symbolicLink
      default: self = .other
      }
    }
  }

  /// What it is.
  public let kind: Kind
  /// The group that it belongs to.
  public let group: UInt32
  /// The permission bits, set-id and sticky bits included: the lower twelve bits of the mode.
  public let permissions: UInt16
  /// The device that holds it.
  public let device: UInt64
  /// Its number on that device.
  public let inode: UInt64
  /// Its length in bytes.
  public let size: UInt64
  /// How many names it has; of a directory, on most file systems, two more than it has directories, and
  /// on others 1.
  public let links: UInt64
  /// When its contents last changed.
  public let modified: WallTime
  /// When anything of it last changed, which nobody can set: ctime.
  public let changed: ChangeTime

  /// A moment of the clock by which a file system marks changes.
  public struct ChangeTime: Hashable, Sendable {
    /// Seconds since 1970-01-01T00:00:00Z.
    public let seconds: Int
    /// Nanoseconds of the second.
    public let nanoseconds: Int

    init(_ time: timespec) {
      seconds = Int(time.tv_sec)
      nanoseconds = Int(time.tv_nsec)
    }
  }

  /// The upper part of the device's number, as in /proc/locks: major(3).
  public var deviceMajor: UInt64 { (device >> 8) & 0xFFF | (device >> 32) & ~0xFFF }
  /// The lower part of the device's number, as in /proc/locks: minor(3).
  public var deviceMinor: UInt64 { device & 0xFF | (device >> 12) & ~0xFF }

  init(_ status: stat) {
    kind = Kind(mode: status.st_mode)
    permissions = UInt16(status.st_mode & 0o7777)
    group = status.st_gid
    device = UInt64(truncatingIfNeeded: status.st_dev)
    inode = UInt64(status.st_ino)
    size = UInt64(max(status.st_size, 0))
    links = UInt64(status.st_nlink)
    #if canImport(Darwin)
      modified = WallTime(secondsSince1970: status.st_mtimespec.tv_sec)
      changed = ChangeTime(status.st_ctimespec)
    #else
      modified = WallTime(secondsSince1970: status.st_mtim.tv_sec)
      changed = ChangeTime(status.st_ctim)
    #endif
  }

  /// Whether both are the same file: same inode of the same device.
  public func isSameFile(as other: FileStatus) -> Bool {
    device == other.device && inode == other.inode
  }

  /// The status of what `path` leads to, links followed: stat(2).
  public static func of(_ path: Path) throws(SystemError) -> FileStatus {
    var buffer = stat()
    try perform(.stat, path) { path.withCString { stat($0, &buffer) } }
    return FileStatus(buffer)
  }

  /// The status of `path` itself, a link not followed: lstat(2).
  public static func ofLink(_ path: Path) throws(SystemError) -> FileStatus {
    var buffer = stat()
    try perform(.lstat, path) { path.withCString { lstat($0, &buffer) } }
    return FileStatus(buffer)
  }
}

extension Path {
  /// The absolute path with every symbolic link resolved; the file must exist: realpath(3).
  public func resolved() throws(SystemError) -> Path {
    var resolved = Path("")
    try perform(.realpath, self) {
      guard let text = withCString({ realpath($0, nil) }) else { return -1 }
      resolved = Path(Bytes(cString: text))
      free(text)
      return 0
    }
    return resolved
  }

  /// When it was made, a link not followed, in nanoseconds since 1970; where the file system does not
  /// tell, when its contents last changed: statx(2).
  public func birthTime() throws(SystemError) -> Int64 {
    let status = try FileStatus.ofLink(self)
    let birth = withCString { birth_time($0) }
    return birth > 0 ? Int64(birth) : Int64(status.modified.secondsSince1970) * 1_000_000_000
  }

  /// Whether something is there that this process can reach: access(2).
  public var isReachable: Bool {
    (try? perform(.access, self) { withCString { access($0, F_OK) } }) != nil
  }

  /// Makes the directory, permissions 0777 less the umask: mkdir(2).
  public func makeDirectory() throws(SystemError) {
    try perform(.mkdir, self) { withCString { mkdir($0, 0o777) } }
  }
}

extension Descriptor {
  /// Makes the directory `name` in this one, permissions 0777 less the umask: mkdirat(2).
  public func makeDirectory(_ name: Bytes) throws(SystemError) {
    try perform(.mkdirat, path.appending(name)) {
      Path(name).withCString { mkdirat(number, $0, 0o777) }
    }
  }

  /// Makes the symbolic link `name` in this directory, which leads to `target`: symlinkat(2).
  public func makeLink(_ name: Bytes, to target: Path) throws(SystemError) {
    try perform(.symlinkat, path.appending(name)) {
      target.withCString { target in
        Path(name).withCString { symlinkat(target, number, $0) }
      }
    }
  }

  /// Removes the empty directory `name` from this one: unlinkat(2).
  public func removeDirectory(_ name: Bytes) throws(SystemError) {
    try perform(.unlinkat, path.appending(name)) {
      Path(name).withCString { unlinkat(number, $0, AT_REMOVEDIR) }
    }
  }

  /// Removes the file `name` from this directory: unlinkat(2).
  public func removeFile(_ name: Bytes) throws(SystemError) {
    try perform(.unlinkat, path.appending(name)) {
      Path(name).withCString { unlinkat(number, $0, 0) }
    }
  }
}
