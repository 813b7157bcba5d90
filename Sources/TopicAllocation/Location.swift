import POSIX

/// Where a project and its root are, by the rules of the bash libraries in use.
public enum Location {
  /// The project that the process works in: `CLAUDE_PROJECT_DIR`, else the git work tree that holds
  /// the current directory, else the current directory.
  ///
  /// - Throws: ENOENT when `CLAUDE_PROJECT_DIR` does not exist: nothing is created by a typo.
  public static func project() throws(SystemError) -> Path {
    if let override = Environment.variable("CLAUDE_PROJECT_DIR") {
      return try Path(override).resolved()
    }
    let current = try Path(".").resolved()
    return workTree(holding: current) ?? current
  }

  /// What a root usually holds, by its place in the project.
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

  /// The root of `project`: `CLAUDE_SPECS_ROOT`, else PROJECT/.claude/specs, else PROJECT/specs,
  /// else PROJECT/.claude/specs, which is then still to be made.
  ///
  /// - Throws: The error of a place that cannot be looked at, and ENOENT for a link that leads
  ///   nowhere: the root may well be there, only not mounted.
  public static func root(of project: Path) throws(SystemError) -> Path {
    if let override = Environment.variable("CLAUDE_SPECS_ROOT") { return Path(override) }
    let candidates = Contents.topics.places.map { project.appending($0) }
    for candidate in candidates {
      if try candidate.isDirectory() { return candidate }
    }
    return candidates[0]
  }

  /// All roots of `project` with these contents: `CLAUDE_SPECS_ROOT` alone, else those of the usual
  /// places that exist.
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

  /// The project that the root at `root` belongs to: `CLAUDE_PROJECT_DIR`, else the git work tree
  /// that holds the root, else the directory that ``root(of:)`` would find this root in.
  public static func project(ofRoot root: Path) throws(SystemError) -> Path {
    if let override = Environment.variable("CLAUDE_PROJECT_DIR") {
      return try Root(locating: Path(override)).path
    }
    if let tree = workTree(holding: root) { return tree }
    return root.parent.lastComponent == Bytes(".claude") ? root.parent.parent : root.parent
  }

  /// The git work tree that holds `directory`: the nearest one upward with a `.git` that is a file
  /// (a linked worktree, a submodule) or a repository (gitrepository-layout(5)). A
  /// dangling or unreadable `.git` counts as well: the repository may be there. Calls `passOver` with
  /// each directory whose `.git` has no HEAD; for git, that is no repository.
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

  /// Nil when nothing has this name; false for a directory that has no HEAD.
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
  /// Whether a directory is here. Not knowing is an error, and so is a link that leads nowhere, be
  /// it the last component or one before it.
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
