import POSIX

/// A directory in a git work tree.
public struct Repository: Sendable {
  /// git, run in the top directory of the work tree.
  public var git: GitCommand
  /// The top directory of the work tree, with links resolved.
  public let workTree: Path
  /// The git directory that all work trees share.
  public let commonDirectory: Path
  /// The path of the directory in the work tree, without a slash at either end; empty for the top
  /// directory.
  public let relativePath: Bytes

  /// Finds the work tree that contains `directory`.
  ///
  /// - Parameters:
  ///   - directory: The directory, with links resolved.
  ///   - existing: The directory, or its nearest parent that exists.
  ///   - candidate: The nearest directory upward that has a `.git`. If it is plainly the work tree,
  ///     git is not asked.
  ///   - deadline: When git must be done.
  public init(
    holding directory: Path, existing: Path, in candidate: Path?, until deadline: Instant
  ) throws(GitError) {
    let top: Path
    let common: Path
    if let candidate, let places = try Self.plainPlaces(of: existing, in: candidate) {
      (top, common) = places
    } else {
      (top, common) = try Self.places(of: existing, directory, deadline)
    }
    workTree = top
    commonDirectory = common
    let rest = directory.bytes.dropFirst(top.bytes.count)
    relativePath = Bytes(rest.drop { $0 == UInt8(ascii: "/") })
    git = GitCommand(in: top, until: deadline)
  }

  /// `top` and its common directory, if the usual layout applies; nil if git has to be asked.
  private static func plainPlaces(
    of directory: Path, in top: Path
  ) throws(GitError) -> (Path, Path)? {
    let git = try GitDirectory(of: top)
    let inside = directory.bytes.dropFirst(top.bytes.count).split(separator: UInt8(ascii: "/"))
    if git.mayLeadElsewhere || inside.contains(Bytes(".git")[...]) { return nil }
    return (try? git.common.resolved()).map { (top, $0) }
  }

  /// The top directory and the common directory, as git gives them: git-rev-parse(1).
  private static func places(
    of existing: Path, _ directory: Path, _ deadline: Instant
  ) throws(GitError) -> (Path, Path) {
    let answer = try GitCommand(in: existing, until: deadline).attempt(
      [
        "rev-parse", "--path-format=absolute", "--show-toplevel", "--git-common-dir",
      ].map { Bytes($0) })
    if answer.code == 0 { return try twoPaths(answer.line, in: existing, deadline) }
    // Another reason is ownership (safe.directory); git's message says so.
    let isNone = answer.words.contains("not a git repository")
    if isNone || answer.words.contains("must be run in a work tree") {
      throw .noWorkTree(directory)
    }
    throw .failed(command: "git rev-parse", words: answer.words)
  }

  /// Splits the answer into two paths. If a path contains a newline, asks for each path alone.
  private static func twoPaths(
    _ lines: Bytes, in directory: Path, _ deadline: Instant
  ) throws(GitError) -> (Path, Path) {
    let parts = lines.split(separator: .newline, omittingEmptySubsequences: false)
    var paths = parts.map { Path(Bytes($0)) }
    if paths.count != 2 {
      let git = GitCommand(in: directory, until: deadline)
      paths = [
        Path(try git.run("rev-parse", "--path-format=absolute", "--show-toplevel")),
        Path(try git.run("rev-parse", "--path-format=absolute", "--git-common-dir")),
      ]
    }
    do throws(SystemError) {
      return (try paths[0].resolved(), try paths[1].resolved())
    } catch {
      throw .system(error)
    }
  }

  /// The commits whose parents a shallow clone or fetch omitted: gitrepository-layout(5).
  public func shallowCommits() throws(GitError) -> Set<Bytes> {
    do throws(SystemError) {
      let file = try commonDirectory.appending("shallow").line() ?? []
      return Set(file.split(separator: .newline).map { Bytes($0) })
    } catch {
      throw .unreadable(error)
    }
  }

  /// Whether `directory` is in the work tree and outside of any git directory, with links resolved.
  public func encloses(_ directory: Path) -> Bool {
    guard let directory = try? directory.resolved() else { return false }
    if directory == workTree { return true }
    let top = workTree.appending("")
    return directory.bytes.starts(with: top.bytes)
      && directory.bytes.dropFirst(top.bytes.count).split(separator: UInt8(ascii: "/"))
        .allSatisfy { !Self.isGitDirectory($0) }
  }

  /// Whether git treats a directory of this name as a git directory, on any file system.
  public static func isGitDirectory(_ name: some Collection<UInt8>) -> Bool {
    String(decoding: name, as: UTF8.self).lowercased() == ".git"
  }

  /// The directory, with links resolved.
  public var directory: Path { relativePath.isEmpty ? workTree : workTree.appending(relativePath) }

  /// The path of `name` in this directory, as it appears in git's trees.
  public func path(of name: Bytes) -> Bytes {
    relativePath.isEmpty ? name : relativePath + [UInt8(ascii: "/")] + name
  }
}
