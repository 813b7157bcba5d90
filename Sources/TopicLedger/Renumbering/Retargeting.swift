import Git
import POSIX

/// A symbolic link that git tracks and that leads to or through an entry that moves.
public struct Retargeting: Hashable, Sendable {
  /// The link, relative to the top of the work tree.
  public let file: Bytes
  /// Where it leads, as it stands there.
  public let old: Bytes
  /// Where it will lead.
  public let new: Bytes

  /// Those of the tracked links `files` that lead elsewhere when `moves` are done.
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
  /// All symbolic links that git tracks, in order: git-ls-files(1).
  func trackedLinks() throws(GitError) -> [Bytes] {
    let entries = try git.run([Bytes("ls-files"), Bytes("-s"), Bytes("-z")])
    // MODE ID STAGE TAB PATH; a file that is being merged has several.
    let files = entries.split(separator: 0).filter { $0.starts(with: Bytes("120000 ")) }
      .map { Bytes($0.drop { $0 != UInt8(ascii: "\t") }.dropFirst()) }
    return Set(files).sorted { $0.lexicographicallyPrecedes($1) }
  }
}

/// Says where links lead when entries of a root have moved.
struct LinkTargets {
  private let names: [Bytes: Bytes]
  private let root: Path

  /// When the entries of the root of `repository` have moved so.
  init(_ moves: [Renumbering.Move], in repository: Repository) {
    names = Dictionary(moves.map { ($0.old, $0.new) }) { first, _ in first }
    root = repository.directory
  }

  /// Where the link at `link` that has led to `target` has to lead. A component is another one when it
  /// is the old name of an entry and what stands before it leads to the root: before the entries move,
  /// with the old names, and after that, with the new ones.
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
