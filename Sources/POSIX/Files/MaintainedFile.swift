// Files that the programs maintain
//
// Locks, logs, ledgers, metrics, checkpoints, states, journals and manifests are in directories that
// others can reach: those who share the machine, and whoever wrote the repository that was cloned. So
// all of them are opened here, by one rule:
//
//   only regular files      A symbolic link in the last component is not followed, whatever it leads
//                           to. A pipe, a socket, a device or a directory is refused as well, and
//                           opening never waits for its other end. The error says what was found.
//   made exclusively        What is missing is made with O_EXCL, with permissions from its first
//                           moment; in a directory that its group shares, for the group (NewPermissions).
//   replaced as a whole     By a file with a name that nobody can predict, which never gets more
//                           permissions than the one before it (AtomicFile).
//
// Links in the directories on the way are followed: they belong to the user who names the path.

extension Descriptor {
  /// Opens the maintained file at `path`, which is there: open(2), fstat(2).
  ///
  /// - Throws: An error with ``SystemError/found`` when it is not a regular file.
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

  /// Opens the maintained file `name` in `directory`, which is there: openat(2), fstat(2).
  ///
  /// - Throws: An error with ``SystemError/found`` when it is not a regular file.
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

  /// Opens the maintained file at `path` for appending; it is made when it is missing, its directory is
  /// not: open(2).
  public static func appending(to path: Path) throws(SystemError) -> Descriptor {
    // Others can make it and remove it meanwhile, but not for ever.
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
  /// Whether open(2) fails so for what is not a regular file.
  fileprivate var mayBeRefusal: Bool {
    found == nil && [.linkLoop, .isDirectory, .noDevice, .notSupported].contains(errno)
  }

  /// The same, with what is there when that is not a regular file.
  fileprivate func finding(_ status: FileStatus?) -> SystemError {
    guard let kind = status?.kind, kind != .file else { return self }
    return SystemError(call, path, errno, found: kind)
  }
}

extension Path {
  /// The longest document that is read as a whole, in bytes: 64 MiB.
  public static let longestDocument = 64 << 20

  /// All of the document that a user names, which may be a pipe: open(2), read(2). More than
  /// ``longestDocument`` is the error `EFBIG`.
  public func documentContents() throws(SystemError) -> Bytes {
    try Descriptor(opening: self, .input).readToEnd(atMost: Self.longestDocument)
  }

  /// All of the maintained file at this path: open(2), read(2). More than ``longestDocument`` is the
  /// error `EFBIG`.
  public func maintainedContents() throws(SystemError) -> Bytes {
    try Descriptor.maintained(self, .readNoLink).readToEnd(atMost: Self.longestDocument)
  }
}
