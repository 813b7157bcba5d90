import Git
import POSIX

/// A tracked symbolic link that leads to or through a moving entry.
public struct Retargeting: Hashable, Sendable {
  /// The link, relative to the top of the work tree.
  public let file: Bytes
  /// Its current target, as stored.
  public let old: Bytes
  /// Its target after the renumbering.
  public let new: Bytes

  /// Returns the tracked links in `files` whose targets `moves` change.
  static func all(
    of moves: [Renumbering.Move], among files: [Bytes], in repository: Repository
  ) -> [Retargeting] {
    let targets = LinkTargets(moves, in: repository)
    return files.compactMap { file in
      let path = repository.workTree.appending(file)
      guard let old = path.linkTarget?.bytes else { return nil }
      let new = targets.target(old, of: path)
      guard new != old, repository.encloses(path.parent) else { return nil }
      return Retargeting(file: file, old: old, new: new)
    }
  }
}

extension Repository {
  /// Lists the tracked symbolic links, in order: git-ls-files(1).
  func trackedLinks() throws(GitError) -> [Bytes] {
    let entries = try git.run([Bytes("ls-files"), Bytes("-s"), Bytes("-z")])
    // MODE ID STAGE TAB PATH. A file with a merge conflict has several lines.
    let files = entries.split(separator: 0).filter { $0.starts(with: Bytes("120000 ")) }
      .map { Bytes($0.drop { $0 != UInt8(ascii: "\t") }.dropFirst()) }
    return Set(files).sorted { $0.lexicographicallyPrecedes($1) }
  }
}

/// Computes the targets of links after entries of a root have moved.
struct LinkTargets {
  private let names: [Bytes: Bytes]
  private let root: Path

  /// Creates the targets for `moves` in the root of `repository`.
  init(_ moves: [Renumbering.Move], in repository: Repository) {
    names = Dictionary(moves.map { ($0.old, $0.new) }) { first, _ in first }
    root = repository.directory
  }

  /// Returns the new target of the link at `link`, whose target is `target`.
  ///
  /// A component changes if it is the old name of an entry and the path before it leads to the
  /// root. That path is tried with the old names and with the new ones, so the result is the same
  /// before and after the move.
  func target(_ target: Bytes, of link: Path) -> Bytes {
    let slash = UInt8(ascii: "/")
    let parts = target.split(separator: slash, omittingEmptySubsequences: false).map { Bytes($0) }
    guard parts.contains(where: { names[$0] != nil }) else { return target }
    var before = target.first == slash ? Path("/") : link.parent
    var after = before
    let new = parts.map { part in
      if part.isEmpty { return part }
      let name = names[part].flatMap { leadsToRoot(before) || leadsToRoot(after) ? $0 : nil }
      before = before.appending(part)
      after = after.appending(name ?? part)
      return name ?? part
    }
    return Bytes(new.joined(separator: [slash]))
  }

  private func leadsToRoot(_ path: Path) -> Bool { (try? path.resolved()) == root }
}
