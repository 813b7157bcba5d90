/// A file that is locked, and holds nothing: flock(2).
///
/// It is opened for writing if possible, because NFS locks only writable files, otherwise for reading. Its
/// owner does not matter. A new lock file has the read and write permissions and the group of its directory
/// from the first moment, and everyone can read it: so every user who may work there can open it for
/// writing. An existing file keeps its owner and permissions: in a shared directory, somebody else may
/// have created it. The lock file is never removed.
public struct LockFile: ~Copyable {
  /// The open file.
  public let file: Descriptor
  /// What it was when it was opened.
  public let status: FileStatus

  /// Opens the lock file `name` of `directory`, which is made when it is missing: openat(2), fchown(2).
  ///
  /// - Throws: An error with ``SystemError/found`` when something else has that name.
  public init(_ name: Bytes, in directory: borrowing Descriptor) throws(SystemError) {
    let opened = try Self.openOrMake(name, in: directory)
    status = try opened.status()
    file = opened
  }

  /// Opens the lock file `name` of `directory`, which is there: openat(2).
  public init(existing name: Bytes, in directory: borrowing Descriptor) throws(SystemError) {
    let opened = try Self.open(name, in: directory)
    status = try opened.status()
    file = opened
  }

  private static func open(
    _ name: Bytes, in directory: borrowing Descriptor
  ) throws(SystemError) -> Descriptor {
    do throws(SystemError) {
      return try Descriptor.maintained(name, in: directory, .readWriteNoLink)
    } catch {
      switch error.errno {
      case .accessDenied, .notPermitted, .readOnly: break
      default: throw error
      }
    }
    return try Descriptor.maintained(name, in: directory, .readNoLink)
  }

  private static func openOrMake(
    _ name: Bytes, in directory: borrowing Descriptor
  ) throws(SystemError) -> Descriptor {
    // Others can make it and remove it meanwhile, but not for ever.
    for _ in 0..<100 {
      do throws(SystemError) {
        return try open(name, in: directory)
      } catch {
        if error.errno != .notFound { throw error }
      }
      let above = try directory.status()
      do throws(SystemError) {
        let made = try Descriptor(
          opening: name, in: directory, .creatingNew(.exactly(above.permissions & 0o666 | 0o444)))
        if try made.status().group != above.group { try? made.setGroup(above.group) }
        return made
      } catch {
        if error.errno != .exists { throw error }
      }
    }
    throw SystemError(.open, directory.path.appending(name), .notFound)
  }
}
