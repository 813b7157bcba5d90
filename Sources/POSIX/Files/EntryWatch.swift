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
    try? directory.removeFile(Bytes(repeating: UInt8(ascii: "-"), count: Int(_NAME_MAX) + 1))
    let count = entry_changes()
    return count < 0 ? nil : count
  }
}
