/// Counts how often any process creates, removes or renames entries of a directory, until the
/// directory is closed: F_NOTIFY of fcntl(2).
///
/// Unlike inotify(7), closing the watch does not block. A process can have one at a time.
public struct EntryWatch: Sendable {
  /// Starts counting. Fails if the kernel does not report changes.
  public init(_ directory: borrowing Descriptor) throws(SystemError) {
    let number = directory.number
    try perform(.fcntl, directory.path) { watch_entries(number) }
  }

  /// The number of changes since the watch began or since the last call; nil if there were more
  /// than the kernel queues (RLIMIT_SIGPENDING).
  ///
  /// The count includes every change that an earlier listing of the directory has shown. The kernel
  /// queues the notice before it unlocks the directory. So this call first waits for that lock, by
  /// removing a file whose name is too long to exist.
  public func changes(of directory: borrowing Descriptor) -> Int? {
    try? directory.removeFile(Bytes(repeating: UInt8(ascii: "-"), count: Int(_NAME_MAX) + 1))
    let count = entry_changes()
    return count < 0 ? nil : count
  }
}
