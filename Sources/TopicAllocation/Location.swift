import POSIX

/// Detection of a project and its root, by the rules of the bash libraries in use.
public enum Location {
  /// The project that the process works in: `CLAUDE_PROJECT_DIR`, or else the git work tree that holds
  /// the current directory, or else the current directory.
  ///
  /// - Throws: ENOENT if `CLAUDE_PROJECT_DIR` does not exist: a typo creates nothing.
  public static func project() throws(SystemError) -> Path {
    if let override = Environment.variable("CLAUDE_PROJECT_DIR") {
      return try Path(override).resolved()
    }
    let current = try Path(".").resolved()
    return workTree(holding: current) ?? current
  }

  /// The contents of a root, by its place in the project.
  public enum Contents: Sendable {
    case topics, decisionRecords

    /// The usual places, the preferred one first.
    public var places: [String] {
      switch self {
      case .topics: [".claude/specs", "specs"]
      case .decisionRecords:
        [
          "docs/adr", "doc/adr", "docs/decisions", "docs/architecture/decisions",
          "doc/architecture/decisions", "docs/architecture-decisions",
        ]
      }
    }
  }

  /// The root of `project`: `CLAUDE_SPECS_ROOT`, or else PROJECT/.claude/specs, or else PROJECT/specs, or
  /// else PROJECT/.claude/specs, which does not exist yet.
  ///
  /// - Throws: The error of a place that cannot be looked at, and ENOENT for a dangling symbolic link: the
  ///   root may be there, but not mounted.
  public static func root(of project: Path) throws(SystemError) -> Path {
    if let override = Environment.variable("CLAUDE_SPECS_ROOT") { return Path(override) }
    let candidates = Contents.topics.places.map { project.appending($0) }
    for candidate in candidates {
      if try candidate.isDirectory() { return candidate }
    }
    return candidates[0]
  }

  /// All roots of `project` with these contents: only `CLAUDE_SPECS_ROOT`, or else the usual places that
  /// exist.
  ///
  /// - Throws: As ``root(of:)``.
  public static func roots(
    of project: Path, with contents: Contents
  ) throws(SystemError) -> [Root] {
    if let override = Environment.variable("CLAUDE_SPECS_ROOT") {
      return [try Root(locating: Path(override))]
    }
    var roots: [Root] = []
    for candidate in contents.places.map({ project.appending($0) }) {
      if try candidate.isDirectory() { roots.append(try Root(locating: candidate)) }
    }
    return roots
  }

  /// The project of the root at `root`: `CLAUDE_PROJECT_DIR`, or else the git work tree that holds the
  /// root, or else the directory for which ``root(of:)`` would return this root.
  public static func project(ofRoot root: Path) throws(SystemError) -> Path {
    if let override = Environment.variable("CLAUDE_PROJECT_DIR") {
      return try Root(locating: Path(override)).path
    }
    if let tree = workTree(holding: root) { return tree }
    return root.parent.lastComponent == Bytes(".claude") ? root.parent.parent : root.parent
  }

  /// The git work tree that holds `directory`: the nearest one upward with a `.git` that is a file (a
  /// linked work tree, a submodule) or a repository (gitrepository-layout(5)). A dangling or unreadable
  /// `.git` counts, too: the repository may be there.
  ///
  /// - Parameter passOver: Called with each directory whose `.git` has no HEAD, and so is not a repository
  ///   for git.
  public static func workTree(
    holding directory: Path, passingOver passOver: (Path) -> Void = { _ in }
  ) -> Path? {
    var candidate = directory
    while true {
      switch isRepository(candidate.appending(".git")) {
      case true?: return candidate
      case false?: passOver(candidate)
      case nil: break
      }
      if candidate.lastComponent.isEmpty { return nil }
      candidate = candidate.parent
    }
  }

  /// Nil if nothing has this name; false for a directory without a HEAD.
  private static func isRepository(_ git: Path) -> Bool? {
    switch (try? FileStatus.ofLink(git))?.kind {
    case .file: return true
    case .symbolicLink where (try? FileStatus.of(git))?.kind != .directory: return true
    case .symbolicLink, .directory: break
    default: return nil
    }
    do throws(SystemError) {
      _ = try FileStatus.ofLink(git.appending("HEAD"))
      return true
    } catch {
      return error.errno != .notFound
    }
  }
}

extension Path {
  /// Whether there is a directory at this path. It is an error if that is unknown, or if any component is
  /// a dangling symbolic link.
  fileprivate func isDirectory() throws(SystemError) -> Bool {
    do throws(SystemError) {
      return try FileStatus.of(self).kind == .directory
    } catch {
      switch error.errno {
      case .notFound: _ = try Root(locating: self)
      case .notDirectory where (try? FileStatus.ofLink(self)) == nil: break
      default: throw error
      }
      return false
    }
  }
}
