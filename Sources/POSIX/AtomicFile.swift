/// A file that is replaced as a whole.
///
/// Who reads it gets the old contents or the new ones, after a crash and a power failure, too: the
/// new ones are written beside it, put on the disk, given its name, and then the directory is put on
/// the disk. What a crash can leave is a file `.NAME.PID.tmp` beside it, which nobody reads. The
/// order is that of SQLite's and git's lock files, and the reason is in fsync(2): a file's data and
/// its name reach the disk separately.
public enum AtomicFile {
  /// Puts `contents` in place of the file at `path`, whose directory must exist and whose permissions stay.
  public static func write(_ contents: Bytes, to path: Path) throws(SystemError) {
    let directory = try Descriptor(opening: path.parent, .directory)
    let name = path.lastComponent
    let temporary = Self.prefix(name) + Bytes("\(System.process)") + Self.suffix
    // A process of the same id left it when it crashed.
    try? directory.removeFile(temporary)
    let permissions = (try? FileStatus.of(path))?.permissions
    do throws(SystemError) {
      let file = try Descriptor(
        opening: temporary, in: directory, .creatingNew(permissions: permissions))
      try file.write(contents)
      try file.synchronize()
      try directory.rename(temporary, to: name)
    } catch {
      try? directory.removeFile(temporary)
      throw error
    }
    try directory.synchronize()
  }

  /// Removes what crashes left of the writing of these files in `directory`. For who holds the lock under
  /// which they are written: it belongs to nobody then.
  public static func removeLeftovers(
    of names: [Bytes], in directory: borrowing Descriptor
  ) throws(SystemError) {
    var leftovers: [Bytes] = []
    try directory.forEachEntry { entry, _ in
      let entry = Bytes(entry)
      let isLeft = entry.suffix(suffix.count) == suffix[...]
      if isLeft, names.contains(where: { entry.starts(with: prefix($0)) }) {
        leftovers.append(entry)
      }
    }
    for name in leftovers { try? directory.removeFile(name) }
  }

  private static let suffix = Bytes(".tmp")

  private static func prefix(_ name: Bytes) -> Bytes { Bytes(".") + name + Bytes(".") }
}
