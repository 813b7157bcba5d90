import POSIX

/// A directory that holds topics, which need not exist yet.
public struct Root: Sendable {
  /// The name of the lock file in every root.
  public static let lockFileName = Bytes(".topic_number.lock")

  /// Its absolute path, with symbolic links resolved as far as it exists.
  public let path: Path
  /// How many directories are missing, counted from the root upward.
  public let missing: Int

  /// Whether it exists.
  public var exists: Bool { missing == 0 }

  /// Finds out where `path` leads, without creating anything.
  ///
  /// In the part that does not exist, `..` is the parent by name, because there can be no link.
  public init(locating path: Path) throws(SystemError) {
    let (existing, rest) = try Self.existingPart(of: path)
    var resolved = existing
    var missing = 0
    var hasGoneUp = false
    for name in rest where name != Bytes(".") {
      if name == Bytes("..") {
        resolved = resolved.parent
        hasGoneUp = true
      } else {
        resolved = resolved.appending(name)
        missing += 1
      }
    }
    if hasGoneUp {
      // The path may have come back to something that exists.
      self = try Root(locating: resolved)
    } else {
      self.path = resolved
      self.missing = missing
    }
  }

  /// The longest part of `path` that exists, resolved, and the names that follow it.
  private static func existingPart(
    of path: Path
  ) throws(SystemError) -> (resolved: Path, rest: [Bytes]) {
    var existing = path
    var rest: [Bytes] = []
    while true {
      do throws(SystemError) {
        return (try existing.resolved(), rest.reversed())
      } catch {
        let parent = existing.parent
        let isLast = existing.lastComponent.isEmpty || parent == existing
        guard error.errno == .notFound, !isLast else { throw error }
        // A dangling link exists, so no directory can be created in its place.
        if (try? FileStatus.ofLink(existing))?.kind == .symbolicLink { throw error }
        rest.append(existing.lastComponent)
        existing = parent
      }
    }
  }

  /// Creates the missing directories, from the top. Others may create the same at the same time.
  func create() throws(SystemError) {
    for above in (0..<missing).reversed() {
      var directory = path
      for _ in 0..<above { directory = directory.parent }
      do {
        try directory.makeDirectory()
      } catch {
        if error.errno != .exists { throw error }
      }
    }
  }
}
