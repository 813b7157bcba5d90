// Trees of many commits
//
// One git for all of them: git-cat-file(1). It is asked for `COMMIT:ROOT` of every commit first, then for
// the trees themselves, each once, however many commits have it. A tree is read as git stores it: for every
// entry its mode, a space, its name, a NUL, and its id in 20 bytes (SHA-1) or 32 (SHA-256).
//
// git says `missing` both of a path that a commit does not have and of an object that cannot be read. Only
// the first is an answer. So where it says that, the root is looked for again, directory by directory: what
// one directory does not list does not exist, and what it lists has to be there. The same serves for a
// root with a newline in its path, for which cat-file cannot be asked by name.

import POSIX

/// The directory that the repository's one is in some commit.
public struct Tree: Hashable {
  /// In hexadecimal digits.
  let id: Bytes
  /// Its length in bytes.
  let size: Int

  /// Up to so many bytes of trees git prints at once, unless a single one is larger.
  fileprivate static let mostAtOnce = 32 << 20
}

/// An entry of a tree; it lives only while it is looked at.
public struct TreeEntry {
  /// Whether it is a directory.
  public let isTree: Bool
  /// Its name in the directory.
  public let name: UnsafeBufferPointer<UInt8>
  fileprivate let binaryID: UnsafeBufferPointer<UInt8>

  fileprivate var id: Bytes {
    var id = Bytes()
    for byte in binaryID { id.append(hexadecimal: byte) }
    return id
  }
}

/// What git says of an object.
struct ObjectInfo {
  let kind: Bytes
  let id: Bytes
  let size: Int

  fileprivate init?(_ line: Bytes) {
    let words = line.split(separator: UInt8(ascii: " "))
    guard words.count == 3, let size = Int(String(decoding: words[2], as: UTF8.self)) else {
      return nil
    }
    kind = Bytes(words[0])
    id = Bytes(words[1])
    self.size = size
  }

  fileprivate var tree: Tree? { kind == Bytes("tree") ? Tree(id: id, size: size) : nil }
}

extension Repository {
  /// The trees of this directory in these commits; nil where there is no such directory.
  public func trees(of commits: [Bytes]) throws(GitError) -> [Tree?] {
    if commits.isEmpty { return [] }
    var trees = [Tree?](repeating: nil, count: commits.count)
    if !relativePath.contains(.newline) {
      trees = try objects(commits.map { $0 + Bytes(":") + relativePath }).map { $0?.tree }
    }
    let open = trees.indices.filter { trees[$0] == nil }
    for (index, tree) in zip(open, try treesFoundByWalking(open.map { commits[$0] })) {
      trees[index] = tree
    }
    return trees
  }

  /// The same, from the top of each commit down.
  private func treesFoundByWalking(_ commits: [Bytes]) throws(GitError) -> [Tree?] {
    if commits.isEmpty { return [] }
    var trees = try tops(of: commits)
    for component in relativePath.split(separator: UInt8(ascii: "/")) {
      var found: [Tree: Bytes] = [:]
      try forEachEntry(of: trees.compactMap { $0 }) { tree, entry in
        if entry.isTree, entry.name.elementsEqual(component) { found[tree] = entry.id }
      }
      let below = trees.map { $0.flatMap { found[$0] } }
      let ids = Array(Set(below.compactMap { $0 }))
      var known: [Bytes: Tree] = [:]
      for (id, object) in zip(ids, try objects(ids)) {
        guard let tree = object?.tree else { throw Self.missing(id) }
        known[id] = tree
      }
      trees = below.map { $0.flatMap { known[$0] } }
    }
    return trees
  }

  /// The tree of each commit; nil of what is none.
  private func tops(of commits: [Bytes]) throws(GitError) -> [Tree?] {
    let trees = try objects(commits.map { $0 + Bytes("^{tree}") }).map { $0?.tree }
    let open = trees.indices.filter { trees[$0] == nil }
    for (index, object) in zip(open, try objects(open.map { commits[$0] })) {
      // A branch can be made to point at a file.
      if object?.kind != Bytes("blob") { throw Self.missing(commits[index]) }
    }
    return trees
  }

  private static func missing(_ object: Bytes) -> GitError {
    .failed(
      command: "git cat-file",
      words: String(decoding: object, as: UTF8.self) + ": missing, or cannot be read")
  }

  /// What git knows of the objects of these names, none of which holds a newline; nil of what is missing.
  func objects(_ names: [Bytes]) throws(GitError) -> [ObjectInfo?] {
    if names.isEmpty { return [] }
    let answers = try git.run(
      ["cat-file", "--buffer", "--batch-check=%(objecttype) %(objectname) %(objectsize)"]
        .map { Bytes($0) }, input: names.flatMap { $0 + [.newline] }
    ).split(separator: .newline)
    guard answers.count == names.count else {
      throw .failed(command: "git cat-file", words: "\(answers.count) answers of \(names.count)")
    }
    return answers.map { ObjectInfo(Bytes($0)) }
  }

  /// Calls `body` with every entry of these trees, of each tree once.
  public func forEachEntry(
    of trees: [Tree], _ body: (Tree, TreeEntry) -> Void
  ) throws(GitError) {
    var seen: Set<Tree> = []
    var rest = trees.filter { seen.insert($0).inserted }[...]
    while let first = rest.first {
      var size = first.size
      var count = 1
      while count < rest.count, size + rest[rest.startIndex + count].size <= Tree.mostAtOnce {
        size += rest[rest.startIndex + count].size
        count += 1
      }
      try read(rest.prefix(count), body)
      rest = rest.dropFirst(count)
    }
  }

  private func read(
    _ trees: ArraySlice<Tree>, _ body: (Tree, TreeEntry) -> Void
  ) throws(GitError) {
    let answer = try git.attempt(
      [Bytes("cat-file"), Bytes("--buffer"), Bytes("--batch")],
      input: trees.flatMap { $0.id + [.newline] })
    if answer.code != 0 { throw .failed(command: "git cat-file", words: answer.words) }
    let bad = answer.output.withUnsafeBufferPointer { output -> Tree? in
      var rest = output[...]
      for tree in trees {
        let header = tree.id + Bytes(" tree \(tree.size)\n")
        guard rest.starts(with: header), rest.count > header.count + tree.size else { return tree }
        rest = rest.dropFirst(header.count)
        let contents = UnsafeBufferPointer(rebasing: rest.prefix(tree.size))
        guard Self.parse(contents, idLength: tree.id.count / 2, { body(tree, $0) }) else {
          return tree
        }
        rest = rest.dropFirst(tree.size + 1)
      }
      return nil
    }
    if let bad { throw Self.missing(bad.id) }
  }

  /// Returns whether these are the contents of a tree.
  private static func parse(
    _ contents: UnsafeBufferPointer<UInt8>, idLength: Int, _ body: (TreeEntry) -> Void
  ) -> Bool {
    var position = 0
    while position < contents.count {
      let mode = position
      while position < contents.count, contents[position] != UInt8(ascii: " ") { position += 1 }
      let name = position + 1
      while position < contents.count, contents[position] != 0 { position += 1 }
      let id = position + 1
      position = id + idLength
      guard position <= contents.count, name < id else { return false }
      body(
        TreeEntry(
          isTree: contents[mode] == UInt8(ascii: "4"),
          name: UnsafeBufferPointer(rebasing: contents[name..<(id - 1)]),
          binaryID: UnsafeBufferPointer(rebasing: contents[id..<position])))
    }
    return true
  }
}
