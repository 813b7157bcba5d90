import POSIX

/// A file that is replaced as a whole.
///
/// Who reads it gets the old contents or the new ones, after a crash and a power failure, too: the
/// new ones are written beside it, put on the disk, given its name, and then the directory is put on
/// the disk. What a crash can leave is a file `.NAME.PID.tmp` beside it, which nobody reads. The
/// order is that of SQLite's and git's lock files, and the reason is in fsync(2): a file's data and
/// its name reach the disk separately.
public enum AtomicFile {
  /// Puts `contents` in place of the file at `path`, whose directory must exist.
  public static func write(_ contents: Bytes, to path: Path) throws(SystemError) {
    let directory = try Descriptor(opening: path.parent, .directory)
    let name = path.lastComponent
    let temporary = Self.prefix(name) + Bytes("\(System.process)") + Self.suffix
    // A process of the same id left it when it crashed.
    do throws(SystemError) { try directory.removeFile(temporary) } catch {
      if error.errno != .notFound { throw error }
    }
    do throws(SystemError) {
      let file = try Descriptor(
        opening: temporary, in: directory, .creatingNew(permissions: nil))
      try file.write(contents)
      try file.synchronize()
      try directory.rename(temporary, to: name)
    } catch {
      try? directory.removeFile(temporary)
      throw error
    }
    try directory.synchronize()
  }

  /// Whether `entry` is what a crash left of the writing of `name`.
  static func isTemporary(_ entry: Bytes, of name: Bytes) -> Bool {
    entry.starts(with: prefix(name)) && entry.suffix(suffix.count) == suffix[...]
  }

  private static let suffix = Bytes(".tmp")

  private static func prefix(_ name: Bytes) -> Bytes { Bytes(".") + name + Bytes(".") }
}
