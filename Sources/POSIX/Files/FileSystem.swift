extension Path {
  /// How many more files the file system can hold for this user: statvfs(3).
  public func freeInodes() throws(SystemError) -> UInt64 {
    var status = CInterop.FileSystemStatus()
    try perform(.statvfs, self) { withCString { libc_statvfs($0, &status) } }
    return UInt64(status.f_favail)
  }

  /// Mounts a tmpfs(5) with room for so many files on this directory, for this process and those that
  /// it starts; it goes with the last of them: unshare(2), mount(2).
  public func mountPrivateTmpfs(files: Int) throws(SystemError) {
    try perform(.mount, self) { withCString { mount_private_tmpfs($0, files) } }
  }

  /// Takes off what is mounted there, as soon as nobody uses it any more: umount2(2).
  public func unmount() {
    #if os(Linux)
      _ = withCString { libc_umount2($0, _MNT_DETACH) }
    #endif
  }
}

extension Descriptor {
  /// Whether each change of this directory gets a time of its own as ctime when somebody has looked at
  /// the one before, and its file system is changed through this kernel alone, so that the time that
  /// stat(2) gives is the present one: uname(2), fstatfs(2), ioctl_iflags(2).
  ///
  /// Linux has such times since 6.13 (multigrain timestamps) for ext4, XFS and Btrfs. For tmpfs it has
  /// them, too, but unlink(2), rmdir(2) and link(2) give the directory the time of the tick. Elsewhere
  /// all changes within a tick, up to 10 ms, have the same time.
  public var hasDistinctChangeTimes: Bool {
    #if os(Linux)
      guard System.kernelRelease >= (6, 13) else { return false }
      switch try? perform(.fstatfs, path, { file_system_type(number) }) {
      case 0x5846_5342, 0x9123_683E: return true
      case 0xEF53: return isOfExt4
      default: return false
      }
    #else
      return false
    #endif
  }

  /// The type of the file system is that of ext2 and ext3, too, which mount nothing with extents or
  /// inline data.
  private var isOfExt4: Bool {
    let extents = 0x0008_0000
    let inlineData = 0x1000_0000
    let attributes = try? perform(.ioctl, path) { file_attributes(number) }
    return (attributes ?? 0) & (extents | inlineData) != 0
  }
}
