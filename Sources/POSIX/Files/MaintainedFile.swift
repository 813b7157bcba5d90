// Files that the programs maintain
//
// Locks, logs, ledgers, metrics, checkpoints, states, journals and manifests are in directories
// that others can change: other users of the machine, or the author of a cloned repository. All of
// these files are opened here, by one rule:
//
//   only regular files      A symbolic link in the last component is not followed, whatever its
//                           target. Pipes, sockets, devices and directories are refused as well,
//                           and opening never waits for another process. The error says what was
//                           found.
//   created exclusively     A missing file is created with O_EXCL and with its final permissions.
//                           In a directory shared by its group, they include the group
//                           (NewPermissions).
//   replaced as a whole     The new file has an unpredictable name until it replaces the old one.
//                           It never grants more permissions than the old one (AtomicFile).
//
// Links in parent directories are followed: they belong to the user who names the path.

extension Descriptor {
  /// Opens the existing maintained file at `path`: open(2), fstat(2).
  ///
  /// - Throws: An error with ``SystemError/found`` if it is not a regular file.
  public static func maintained(
    _ path: Path, _ access: Access
  ) throws(SystemError) -> Descriptor {
    do throws(SystemError) {
      let file = try Descriptor(opening: path, access)
      try file.checkIsRegular()
      return file
    } catch {
      throw error.mayBeRefusal ? error.finding(try? FileStatus.ofLink(path)) : error
    }
  }

  /// Opens the existing maintained file `name` in `directory`: openat(2), fstat(2).
  ///
  /// - Throws: An error with ``SystemError/found`` if it is not a regular file.
  public static func maintained(
    _ name: Bytes, in directory: borrowing Descriptor, _ access: Access
  ) throws(SystemError) -> Descriptor {
    do throws(SystemError) {
      let file = try Descriptor(opening: name, in: directory, access)
      try file.checkIsRegular()
      return file
    } catch {
      throw error.mayBeRefusal ? error.finding(try? directory.status(of: name)) : error
    }
  }

  private func checkIsRegular() throws(SystemError) {
    let kind = try status().kind
    if kind != .file { throw SystemError(.open, path, .invalidArgument, found: kind) }
  }

  /// Opens the maintained file at `path` for appending, and creates it if it is missing: open(2).
  /// Its directory must exist.
  public static func appending(to path: Path) throws(SystemError) -> Descriptor {
    // Others may create and remove it at the same time, but not forever.
    for _ in 0..<100 {
      do throws(SystemError) {
        return try maintained(path, .appendNoLink)
      } catch {
        if error.errno != .notFound { throw error }
      }
      let directory = try Descriptor(opening: path.parent, .directory)
      do throws(SystemError) {
        _ = try Descriptor(
          opening: path.lastComponent, in: directory, .creatingNew(.ofFile(in: directory.status())))
      } catch {
        if error.errno != .exists { throw error }
      }
    }
    throw SystemError(.open, path, .notFound)
  }
}

extension SystemError {
  /// Whether open(2) can fail with this error because the file is not a regular one.
  fileprivate var mayBeRefusal: Bool {
    found == nil && [.linkLoop, .isDirectory, .noDevice, .notSupported].contains(errno)
  }

  /// The same error, with the kind of file that was found unless it is a regular one.
  fileprivate func finding(_ status: FileStatus?) -> SystemError {
    guard let kind = status?.kind, kind != .file else { return self }
    return SystemError(call, path, errno, found: kind)
  }
}

extension Path {
  /// The size limit for documents that are read as a whole, in bytes: 64 MiB.
  public static let longestDocument = 64 << 20

  /// Reads the document at this path, which may be a pipe: open(2), read(2).
  ///
  /// - Throws: `EFBIG` if the document is longer than ``longestDocument``.
  public func documentContents() throws(SystemError) -> Bytes {
    try Descriptor(opening: self, .input).readToEnd(atMost: Self.longestDocument)
  }

  /// Reads the maintained file at this path: open(2), read(2).
  ///
  /// - Throws: `EFBIG` if the file is longer than ``longestDocument``.
  public func maintainedContents() throws(SystemError) -> Bytes {
    try Descriptor.maintained(self, .readNoLink).readToEnd(atMost: Self.longestDocument)
  }
}
