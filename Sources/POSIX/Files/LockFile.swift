/// An empty file that serves as a lock: flock(2).
///
/// It is opened for writing if possible, because NFS locks only writable files; otherwise for
/// reading. Its owner does not matter.
///
/// A new lock file gets the read and write permissions of its directory and its group, and everyone
/// can read it. Every user who may work in the directory can therefore open it for writing. An
/// existing file keeps its owner and permissions: in a shared directory, another user may have
/// created it. The lock file is never removed.
public struct LockFile: ~Copyable {
  /// The open file.
  public let file: Descriptor
  /// Its status when it was opened.
  public let status: FileStatus

  /// Opens the lock file `name` in `directory`, and creates it if it is missing: openat(2),
  /// fchown(2).
  ///
  /// - Throws: An error with ``SystemError/found`` if something else has that name.
  public init(_ name: Bytes, in directory: borrowing Descriptor) throws(SystemError) {
    let opened = try Self.openOrMake(name, in: directory)
    status = try opened.status()
    file = opened
  }

  /// Opens the existing lock file `name` in `directory`: openat(2).
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
    // Others may create and remove it at the same time, but not forever.
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
