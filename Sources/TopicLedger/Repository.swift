import POSIX
import TopicAllocation

/// A numbered root in a git work tree.
public struct Repository: Sendable {
  /// git, in the top directory of the work tree.
  public var git: Git
  /// The top directory of the work tree that holds the root, links resolved.
  public let workTree: Path
  /// The directory of the repository that all its work trees share.
  public let commonDirectory: Path
  /// The path of the root in the work tree, without a slash at either end; empty for the work tree
  /// itself.
  public let relativeRoot: Bytes

  /// The work tree around the root at `root`, which need not exist yet; git has until `deadline`.
  public init(holding root: Root, until deadline: Instant) throws(LedgerError) {
    var existing = root.path
    for _ in 0..<root.missing { existing = existing.parent }
    let top: Path
    let common: Path
    if let places = try Self.plainPlaces(of: existing) {
      (top, common) = places
    } else {
      (top, common) = try Self.places(of: existing, root, deadline)
    }
    workTree = top
    commonDirectory = common
    let rest = root.path.bytes.dropFirst(top.bytes.count)
    relativeRoot = Bytes(rest.drop { $0 == UInt8(ascii: "/") })
    git = Git(in: top, until: deadline)
  }

  /// The top of the work tree that holds `directory` and the common directory, where both are where
  /// they mostly are; nil where git has to be asked.
  private static func plainPlaces(of directory: Path) throws(LedgerError) -> (Path, Path)? {
    guard let top = Location.workTree(holding: directory) else { return nil }
    let git = try GitDirectory(of: top)
    let inside = directory.bytes.dropFirst(top.bytes.count).split(separator: UInt8(ascii: "/"))
    if git.mayLeadElsewhere || inside.contains(Bytes(".git")[...]) { return nil }
    return (try? git.common.resolved()).map { (top, $0) }
  }

  /// The same, as git says it: git-rev-parse(1).
  private static func places(
    of directory: Path, _ root: Root, _ deadline: Instant
  ) throws(LedgerError) -> (Path, Path) {
    let answer = try Git(in: directory, until: deadline).attempt(
      [
        "rev-parse", "--path-format=absolute", "--show-toplevel", "--git-common-dir",
      ].map { Bytes($0) })
    if answer.code == 0 { return try twoPaths(answer.line, in: directory, deadline) }
    // Whose repository it is can be a reason, too (safe.directory); git says that itself.
    let isNone = answer.words.contains("not a git repository")
    if isNone || answer.words.contains("must be run in a work tree") {
      throw .noWorkTree(root.path)
    }
    throw .git(command: "git rev-parse", words: answer.words)
  }

  /// Two lines, unless a path holds a newline: then each is asked for alone.
  private static func twoPaths(
    _ lines: Bytes, in directory: Path, _ deadline: Instant
  ) throws(LedgerError) -> (Path, Path) {
    let parts = lines.split(separator: .newline, omittingEmptySubsequences: false)
    var paths = parts.map { Path(Bytes($0)) }
    if paths.count != 2 {
      let git = Git(in: directory, until: deadline)
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

  /// The commits whose parents a shallow clone or fetch left out (gitrepository-layout(5)).
  func shallowCommits() throws(LedgerError) -> Set<Bytes> {
    do throws(SystemError) {
      let file = try commonDirectory.appending("shallow").line() ?? []
      return Set(file.split(separator: .newline).map { Bytes($0) })
    } catch {
      throw .unreadable(error)
    }
  }

  /// Whether `directory`, links resolved, is in the work tree, and in no git directory.
  func encloses(_ directory: Path) -> Bool {
    guard let directory = try? directory.resolved() else { return false }
    if directory == workTree { return true }
    let top = workTree.appending("")
    return directory.bytes.starts(with: top.bytes)
      && directory.bytes.dropFirst(top.bytes.count).split(separator: UInt8(ascii: "/"))
        .allSatisfy { !Self.isGitDirectory($0) }
  }

  /// Whether git takes a directory of this name for a repository on some file system or other.
  static func isGitDirectory(_ name: some Collection<UInt8>) -> Bool {
    String(decoding: name, as: UTF8.self).lowercased() == ".git"
  }

  /// The path of `name` in this root, as git names it in a tree.
  public func path(of name: Bytes) -> Bytes {
    relativeRoot.isEmpty ? name : relativeRoot + [UInt8(ascii: "/")] + name
  }
}
