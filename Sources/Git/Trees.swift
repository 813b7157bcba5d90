// Trees of many commits
//
// One git-cat-file(1) process reads them all. It first resolves `COMMIT:ROOT` for every commit,
// then reads each tree once, however many commits share it. A tree has git's own format: for each
// entry its mode, a space, its name, a NUL, and its ID in 20 bytes (SHA-1) or 32 (SHA-256).
//
// git says `missing` both for a path that a commit lacks and for an object that cannot be read. The
// first is an answer, the second an error. To tell them apart, the root is looked up again, one
// directory at a time: what a directory does not list does not exist, and what it lists must be
// readable. The same walk handles roots whose path contains a newline, which cat-file cannot take
// by name.

import POSIX

/// A tree: the state of a directory in a commit.
public struct Tree: Hashable {
  /// Its object ID, in hexadecimal digits.
  let id: Bytes
  /// Its size in bytes.
  let size: Int

  /// How many bytes of trees git prints at once, unless a single tree is larger.
  fileprivate static let mostAtOnce = 32 << 20
}

/// An entry of a tree, valid only during the call that passes it.
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

/// The type, ID and size of an object.
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
  /// Finds the trees of this directory in `commits`; nil where the directory does not exist.
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

  /// Finds the trees by walking down from the top of each commit.
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

  /// The top tree of each commit; nil for an object that is not a commit.
  private func tops(of commits: [Bytes]) throws(GitError) -> [Tree?] {
    let trees = try objects(commits.map { $0 + Bytes("^{tree}") }).map { $0?.tree }
    let open = trees.indices.filter { trees[$0] == nil }
    for (index, object) in zip(open, try objects(open.map { commits[$0] })) {
      // A branch can point at a file.
      if object?.kind != Bytes("blob") { throw Self.missing(commits[index]) }
    }
    return trees
  }

  private static func missing(_ object: Bytes) -> GitError {
    .failed(
      command: "git cat-file",
      words: String(decoding: object, as: UTF8.self) + ": missing, or cannot be read")
  }

  /// Looks up objects by name; nil where one is missing. No name may contain a newline.
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

  /// Calls `body` with every entry of these trees, once for each distinct tree.
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

  /// Returns false if `contents` is not a valid tree.
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
