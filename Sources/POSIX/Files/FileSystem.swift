extension Path {
  /// The number of files that this user can still create on the file system: statvfs(3).
  public func freeInodes() throws(SystemError) -> UInt64 {
    var status = CInterop.FileSystemStatus()
    try perform(.statvfs, self) { withCString { libc_statvfs($0, &status) } }
    return UInt64(status.f_favail)
  }

  /// Mounts a tmpfs(5) with room for `files` files on this directory: unshare(2), mount(2).
  ///
  /// Only this process and its children see it. It disappears with the last of them.
  public func mountPrivateTmpfs(files: Int) throws(SystemError) {
    try perform(.mount, self) { withCString { mount_private_tmpfs($0, files) } }
  }

  /// Unmounts the file system at this path once it is no longer in use: umount2(2).
  public func unmount() {
    #if os(Linux)
      _ = withCString { libc_umount2($0, _MNT_DETACH) }
    #endif
  }
}

extension Descriptor {
  /// Whether every change of this directory that follows a look at it gets a new ctime: uname(2),
  /// fstatfs(2), ioctl_iflags(2).
  ///
  /// Linux has multigrain timestamps since 6.13 for ext4, XFS and Btrfs. tmpfs has them too, but
  /// there unlink(2), rmdir(2) and link(2) give the directory the time of the tick. Elsewhere all
  /// changes within a tick, up to 10 ms, share one time. The file system must also be changed
  /// through this kernel alone, so network file systems do not qualify.
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

  /// ext2 and ext3 have the same type number, but only ext4 has extents or inline data.
  private var isOfExt4: Bool {
    let extents = 0x0008_0000
    let inlineData = 0x1000_0000
    let attributes = try? perform(.ioctl, path) { file_attributes(number) }
    return (attributes ?? 0) & (extents | inlineData) != 0
  }
}
