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
    let answer = try Git(in: existing, until: deadline).attempt(
      [
        "rev-parse", "--path-format=absolute", "--show-toplevel", "--git-common-dir",
      ].map { Bytes($0) })
    guard answer.code == 0 else {
      // Whose repository it is can be a reason, too (safe.directory); git says that itself.
      let isNone = answer.words.contains("not a git repository")
      if isNone || answer.words.contains("must be run in a work tree") {
        throw .noWorkTree(root.path)
      }
      throw .git(command: "git rev-parse", words: answer.words)
    }
    let (top, common) = try Self.twoPaths(answer.line, in: existing, deadline)
    workTree = top
    commonDirectory = common
    let rest = root.path.bytes.dropFirst(top.bytes.count)
    relativeRoot = Bytes(rest.drop { $0 == UInt8(ascii: "/") })
    git = Git(in: top, until: deadline)
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

  /// The path of `name` in this root, as git names it in a tree.
  public func path(of name: Bytes) -> Bytes {
    relativeRoot.isEmpty ? name : relativeRoot + [UInt8(ascii: "/")] + name
  }

  /// The entries of this root in the commit that `reference` names, none where there is no such
  /// directory: git-ls-tree(1).
  public func entries(in reference: Bytes) throws(LedgerError) -> [Bytes] {
    let commit = try git.attempt(
      [
        Bytes("rev-parse"), Bytes("--verify"), Bytes("--end-of-options"),
        reference + Bytes("^{commit}"),
      ])
    if commit.code != 0 { throw .noCommit(reference, words: commit.words) }
    let tree = try git.attempt(
      [
        Bytes("rev-parse"), Bytes("--verify"), Bytes("-q"),
        commit.line + [UInt8(ascii: ":")] + relativeRoot,
      ])
    return tree.code == 0 ? try entries(inTree: tree.line) : []
  }

  /// The names in a tree.
  func entries(inTree tree: Bytes) throws(LedgerError) -> [Bytes] {
    let list = try git.run([Bytes("ls-tree"), Bytes("--name-only"), Bytes("-z"), tree])
    return list.split(separator: 0).map { Bytes($0) }
  }
}
