import CSystem

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#elseif canImport(Darwin)
  import Darwin
#endif

/// Counts how often entries of a directory are made, removed and renamed, by whomever, from the
/// beginning of the watch until its directory is closed: F_NOTIFY of fcntl(2).
///
/// Unlike inotify(7), it costs no wait when it ends. A process has one at a time.
public struct EntryWatch: Sendable {
  /// Begins to count; an error where the kernel does not tell.
  public init(_ directory: borrowing Descriptor) throws(SystemError) {
    let number = directory.number
    try perform(.fcntl, directory.path) { watch_entries(number) }
  }

  /// How many changes there were since the watch began or this was last called; nil when there were
  /// more than the kernel remembers (RLIMIT_SIGPENDING).
  ///
  /// A change that a look at the directory has shown is counted, even when it is not yet over then:
  /// the kernel sends its notice before it unlocks the directory, so this waits for that lock first,
  /// by removing a file whose name no file can have.
  public func changes(of directory: borrowing Descriptor) -> Int? {
    try? directory.removeFile(Bytes(repeating: UInt8(ascii: "-"), count: Int(NAME_MAX) + 1))
    let count = entry_changes()
    return count < 0 ? nil : count
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
