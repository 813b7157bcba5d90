import POSIX

/// Where a project and its root are, by the rules of the bash libraries in use.
public enum Location {
  /// The project that the process works in: `CLAUDE_PROJECT_DIR`, else the git work tree that holds
  /// the current directory, else the current directory.
  public static func project() throws(SystemError) -> Path {
    if let override = Environment.variable("CLAUDE_PROJECT_DIR") {
      return try Root(locating: Path(override)).path
    }
    let current = try Path(".").resolved()
    return workTree(holding: current) ?? current
  }

  /// The root of `project`: `CLAUDE_SPECS_ROOT`, else PROJECT/.claude/specs, else PROJECT/specs,
  /// else PROJECT/.claude/specs, which is then still to be made.
  public static func root(of project: Path) -> Path {
    if let override = Environment.variable("CLAUDE_SPECS_ROOT") { return Path(override) }
    let preferred = project.appending(".claude/specs")
    let plain = project.appending("specs")
    return !preferred.isDirectory && plain.isDirectory ? plain : preferred
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
  /// (a linked worktree, a submodule) or a repository (gitrepository-layout(5)).
  public static func workTree(holding directory: Path) -> Path? {
    var candidate = directory
    while true {
      let git = candidate.appending(".git")
      if let status = try? FileStatus.of(git) {
        if status.kind == .file || git.appending("HEAD").isReachable { return candidate }
      }
      if candidate.lastComponent.isEmpty { return nil }
      candidate = candidate.parent
    }
  }
}

extension Path {
  fileprivate var isDirectory: Bool { (try? FileStatus.of(self))?.kind == .directory }
}
