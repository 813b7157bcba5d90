import Git
import POSIX

/// A file in git's index, in the format of `git ls-files -s -v -z`: TAG MODE ID STAGE TAB PATH.
struct IndexEntry {
  /// `H`, or another letter for the state of the file: git-ls-files(1), -v.
  private let tag: UInt8?
  /// MODE ID STAGE.
  private let words: ArraySlice<UInt8>
  /// The path, relative to the top of the work tree.
  let path: ArraySlice<UInt8>

  private static let emptyBlobs = [
    "e69de29bb2d1d6434b8b29ae775ad8c2e48c5391",
    "473a0f4c3be8a93681a267e3b1e9a7dcda1185436fe141f7749120a303721813",
  ].map { Bytes($0) }

  fileprivate init(_ line: ArraySlice<UInt8>) {
    tag = line.first
    let rest = line.dropFirst(2)
    words = rest.prefix { $0 != UInt8(ascii: "\t") }
    path = rest.dropFirst(words.count + 1)
  }

  private var id: ArraySlice<UInt8> {
    words.drop { $0 != UInt8(ascii: " ") }.dropFirst().prefix { $0 != UInt8(ascii: " ") }
  }

  /// Whether only git-mv(1) can rename the file without loss. That holds for:
  ///
  /// - submodules, whose path is also in other files,
  /// - files with a merge conflict,
  /// - files with a flag, such as one added with --intent-to-add, which is listed like an empty
  ///   file.
  func needsGitMove(in workTree: Path) -> Bool {
    if tag != UInt8(ascii: "H") || words.starts(with: Bytes("160000 ")) { return true }
    guard Self.emptyBlobs.contains(Bytes(id)) else { return false }
    let file = try? FileStatus.ofLink(workTree.appending(Bytes(path)))
    return file.map { $0.size > 0 } ?? false
  }

  /// The input for `git update-index -z --index-info` that changes the path.
  fileprivate func renamed(to new: Bytes) -> Bytes {
    // Mode 0 removes a path.
    let nothing = Bytes(repeating: UInt8(ascii: "0"), count: id.count)
    let tab = Bytes("\t")
    return Bytes("0 ") + nothing + tab + path + [0] + words + tab + new + [0]
  }
}

extension Repository {
  /// Makes git take paths literally, whatever characters they contain: git(1).
  static let literalPaths = [Bytes("GIT_LITERAL_PATHSPECS=1")]

  /// With more paths than this, git is slow, because it compares each file with every path.
  private static let mostPaths = 8

  /// The paths to give to git for these entries: the entries themselves if they are few, otherwise
  /// the whole root.
  func paths(of names: [Bytes]) -> [Bytes] {
    if names.count <= Self.mostPaths { return names.map(path(of:)) }
    return [pathOfRoot]
  }

  /// The root, relative to the top of the work tree.
  var pathOfRoot: Bytes { relativePath.isEmpty ? Bytes(".") : relativePath }

  /// The entry of the root that contains the file at `path`, relative to the top of the work tree.
  func entry(holding path: ArraySlice<UInt8>) -> Bytes {
    let slash = UInt8(ascii: "/")
    let inRoot = relativePath.isEmpty ? path : path.dropFirst(relativePath.count + 1)
    return Bytes(inRoot.prefix { $0 != slash })
  }

  /// Returns the files of these entries in git's index: git-ls-files(1).
  func indexEntries(of names: [Bytes]) throws(GitError) -> [Bytes: [IndexEntry]] {
    if names.isEmpty { return [:] }
    let list = try git.run(
      ["ls-files", "-s", "-v", "-z", "--"].map { Bytes($0) } + paths(of: names),
      variables: Self.literalPaths)
    let wanted = Set(names)
    var entries: [Bytes: [IndexEntry]] = [:]
    for line in list.split(separator: 0) {
      let file = IndexEntry(line)
      let name = entry(holding: file.path)
      if wanted.contains(name) { entries[name, default: []].append(file) }
    }
    return entries
  }

  /// Renames entries of the root in git's index, all in one step: git-update-index(1). Skips
  /// entries that git does not track.
  func renameInIndex(_ names: [(old: Bytes, new: Bytes)]) throws(GitError) {
    let entries = try indexEntries(of: names.map(\.old))
    var input = Bytes()
    for (old, new) in names {
      for file in entries[old] ?? [] {
        input += file.renamed(to: path(of: new) + file.path.dropFirst(path(of: old).count))
      }
    }
    if input.isEmpty { return }
    _ = try git.run(["update-index", "-z", "--index-info"].map { Bytes($0) }, input: input)
  }
}
