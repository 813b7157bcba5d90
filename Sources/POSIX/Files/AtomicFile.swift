/// Replaces files as a whole.
///
/// Readers see either the old or the new contents, even after a crash or a power failure:
///
/// 1. The new contents are written to a temporary file `.NAME.RANDOM.tmp`, which is synced.
/// 2. The temporary file is renamed to the file.
/// 3. The directory is synced.
///
/// A crash can leave the temporary file, which nobody reads. SQLite and git's lock files use the
/// same order; fsync(2) gives the reason: a file's data and its name reach the disk separately.
///
/// The new file never grants more than the old one. It has at most the old permission bits (0777).
/// If the old file belongs to another user, it also has at most those of a newly created file. It
/// keeps group bits only if it keeps the group. The set-user-ID, set-group-ID and sticky bits are
/// dropped.
public enum AtomicFile {
  /// Replaces the file at `path` with one that holds `contents`. The directory must exist.
  ///
  /// - Parameters:
  ///   - contents: The new contents.
  ///   - path: The file to replace; it may be missing.
  ///   - source: The file that the contents are a copy of. Only those who can read it can read the
  ///     new file.
  ///   - limit: The permission bits that the new file may have.
  /// - Throws: An error with ``SystemError/found`` if something other than a regular file has that
  ///   name.
  public static func write(
    _ contents: Bytes, to path: Path, copiedFrom source: FileStatus? = nil, limit: UInt16 = 0o777
  ) throws(SystemError) {
    let directory = try Descriptor(opening: path.parent, .directory)
    try replace(
      path.lastComponent, in: directory, with: contents, copiedFrom: source, limit: limit)
    try directory.synchronize()
  }

  /// Replaces the file `name` in `directory`, but does not sync the directory. A caller that
  /// replaces several files syncs it once, at the end.
  public static func replace(
    _ name: Bytes, in directory: borrowing Descriptor, with contents: Bytes,
    copiedFrom source: FileStatus? = nil, limit: UInt16 = 0o777, isDurable: Bool = true
  ) throws(SystemError) {
    try replace(
      name, in: directory, with: contents, by: temporaryName(name), copiedFrom: source,
      limit: limit, isDurable: isDurable)
  }

  /// Replaces the file unless it already has these contents, belongs to this user, and has no
  /// set-ID or sticky bit. Returns whether it was replaced.
  public static func replaceIfDifferent(
    _ name: Bytes, in directory: borrowing Descriptor, with contents: Bytes
  ) throws(SystemError) -> Bool {
    if let old = try directory.status(of: name), old.size == contents.count,
      old.owner == System.user, old.permissions <= 0o777,
      (try? Descriptor.maintained(name, in: directory, .readNoLink).contents()) == contents
    {
      return false
    }
    try replace(name, in: directory, with: contents)
    return true
  }

  /// Keeps the file `name` of `directory` as `copy`, which is replaced, before a caller replaces
  /// `name` itself: linkat(2).
  ///
  /// Copies the file if the file system has no links, or if a link would grant more than the rule
  /// above allows. Does not sync the directory.
  public static func keep(
    _ name: Bytes, as copy: Bytes, in directory: borrowing Descriptor
  ) throws(SystemError) {
    let old = try directory.status(of: copy)
    try checkIsReplaceable(old, copy, in: directory)
    let file = try Descriptor.maintained(name, in: directory, .readNoLink)
    let temporary = temporaryName(copy)
    guard try canLink(file.status(), old), try link(name, as: temporary, in: directory) else {
      return try replace(
        copy, in: directory, with: file.readToEnd(atMost: Path.longestDocument),
        copiedFrom: file.status())
    }
    // If both names already belong to one file, as after a crash, rename(2) does nothing.
    defer { try? directory.removeFile(temporary) }
    try directory.rename(temporary, to: copy)
  }

  /// Whether a link to `file` grants no more than a copy in place of `old` would.
  private static func canLink(_ file: FileStatus, _ old: FileStatus?) -> Bool {
    let old = old ?? file
    return file.owner == System.user && old.owner == file.owner && old.group == file.group
      && file.permissions & ~old.permissions == 0 && file.permissions <= 0o777
  }

  /// Returns false if the file system cannot make the link, or no more links.
  private static func link(
    _ name: Bytes, as new: Bytes, in directory: borrowing Descriptor
  ) throws(SystemError) -> Bool {
    do throws(SystemError) {
      try directory.link(name, as: new)
      return true
    } catch {
      let isRefused = [.notPermitted, .notSupported, .notImplemented, .tooManyLinks]
        .contains(error.errno)
      if isRefused { return false }
      throw error
    }
  }

  private static func checkIsReplaceable(
    _ old: FileStatus?, _ name: Bytes, in directory: borrowing Descriptor
  ) throws(SystemError) {
    guard let old, old.kind != .file else { return }
    throw SystemError(.renameat, directory.path.appending(name), .invalidArgument, found: old.kind)
  }

  /// Replaces the file `name` in `directory`, with the temporary name `temporary`. Does not sync
  /// the directory.
  ///
  /// - Parameter isDurable: Whether to sync the new file first. Without that, a power failure can
  ///   lose the contents.
  public static func replace(
    _ name: Bytes, in directory: borrowing Descriptor, with contents: Bytes, by temporary: Bytes,
    copiedFrom source: FileStatus? = nil, limit: UInt16 = 0o777, isDurable: Bool
  ) throws(SystemError) {
    let old = try directory.status(of: name)
    try checkIsReplaceable(old, name, in: directory)
    do throws(SystemError) {
      let file = try create(temporary, in: directory, like: old, source, limit)
      try file.write(contents)
      if isDurable { try file.synchronize() }
      try directory.rename(temporary, to: name)
    } catch {
      if error.errno != .exists { try? directory.removeFile(temporary) }
      throw error
    }
  }

  /// Creates the file that will replace `old`, for contents copied from `source`.
  private static func create(
    _ name: Bytes, in directory: borrowing Descriptor, like old: FileStatus?,
    _ source: FileStatus?, _ limit: UInt16
  ) throws(SystemError) -> Descriptor {
    let models = [old, source].compactMap { $0 }
    var permissions = NewPermissions.ofFile(in: try directory.status())
    if let old, old.owner == System.user { permissions = .exactly(old.permissions & 0o777) }
    for model in models { permissions = permissions.limited(to: model.permissions) }
    let mode = permissions.limited(to: limit).mode
    if models.isEmpty || mode & 0o070 == 0 {
      return try Descriptor(opening: name, in: directory, .creatingNew(.exactly(mode)))
    }
    // The group bits come last, when the group is known to be the same.
    let file = try Descriptor(opening: name, in: directory, .creatingNew(.exactly(mode & ~0o070)))
    let group = models[0].group
    guard models.allSatisfy({ $0.group == group }) else { return file }
    if try file.status().group != group {
      do throws(SystemError) { try file.setGroup(group) } catch { return file }
    }
    try file.setPermissions(mode)
    return file
  }

  /// Removes the temporary files for `names` that crashes left in `directory`. The caller must hold
  /// the lock under which they are written; otherwise another process may be writing one.
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

  private static func temporaryName(_ name: Bytes) -> Bytes {
    prefix(name) + Bytes(randomHexadecimalDigits: 16) + suffix
  }

  private static let suffix = Bytes(".tmp")

  private static func prefix(_ name: Bytes) -> Bytes { Bytes(".") + name + Bytes(".") }
}
