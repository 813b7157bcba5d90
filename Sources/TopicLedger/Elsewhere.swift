import POSIX
import TopicAllocation

/// The topics that the root of a ledger has in other work trees and in branches: in local and
/// remote-tracking ones, and for the ledger of a remote in its branches as they are now. Looked at once,
/// when somebody asks.
struct Elsewhere {
  /// Whether they count even when there is a ledger.
  let isWanted: Bool
  private let ledger: Ledger
  private var found: [NumberedEntry]?

  /// An entry, and where it is.
  struct NumberedEntry {
    let number: Int
    let entry: Bytes
    /// The path of the work tree, or the name of the ref.
    let place: Bytes
  }

  init(of ledger: Ledger, isWanted: Bool) {
    self.ledger = ledger
    self.isWanted = isWanted
  }

  /// All of them, in no order.
  mutating func topics(_ style: Style) throws(LedgerError) -> [NumberedEntry] {
    if let found { return found }
    let repository = ledger.repository
    var topics = try ledger.withBranchesOfRemote { () throws(LedgerError) in
      try repository.topicsInBranches(style)
    }
    for workTree in try repository.otherWorkTrees() {
      // One that has been removed by hand has no topics.
      guard let root = try? Root(locating: workTree.appending(repository.relativeRoot)),
        let there = try? root.topics(style)
      else { continue }
      topics += there.map {
        NumberedEntry(number: $0.number, entry: $0.entryName, place: workTree.bytes)
      }
    }
    found = topics
    return topics
  }
}

extension Repository {
  fileprivate func otherWorkTrees() throws(LedgerError) -> [Path] {
    let list = try git.run("worktree", "list", "--porcelain", "-z")
    let key = Bytes("worktree ")
    return list.split(separator: 0).filter { $0.starts(with: key) }
      .map { Path(Bytes($0.dropFirst(key.count))) }
      .filter { $0 != workTree }
  }

  fileprivate func topicsInBranches(
    _ style: Style
  ) throws(LedgerError) -> [Elsewhere.NumberedEntry] {
    let list = try git.run(
      "for-each-ref", "--format=%(objectname) %(refname)", "refs/heads", "refs/remotes",
      Ledger.fetchedBranches)
    // Branches that point at the same commit are asked once, and so are roots that are the same.
    var branches: [(commit: Bytes, name: Bytes)] = []
    var seen: Set<Bytes> = []
    for line in list.split(separator: .newline) {
      let words = line.split(separator: UInt8(ascii: " "), maxSplits: 1).map { Bytes($0) }
      if words.count == 2, seen.insert(words[0]).inserted { branches.append((words[0], words[1])) }
    }
    var topics: [Elsewhere.NumberedEntry] = []
    for (branch, tree) in zip(branches, try trees(of: branches.map(\.commit))) {
      guard let tree, seen.insert(tree).inserted else { continue }
      for entry in try entries(inTree: tree) {
        guard let number = style.number(of: entry) else { continue }
        topics.append(.init(number: number, entry: entry, place: branch.name))
      }
    }
    return topics
  }

  /// The ids of this root's trees in these commits, nil where there is none: git-cat-file(1).
  private func trees(of commits: [Bytes]) throws(LedgerError) -> [Bytes?] {
    // A question is a line.
    if relativeRoot.contains(.newline) {
      return commits.map { commit in
        try? git.run([
          Bytes("rev-parse"), Bytes("--verify"), Bytes("-q"), commit + Bytes(":") + relativeRoot,
        ])
      }
    }
    let questions = commits.flatMap { $0 + Bytes(":") + relativeRoot + [.newline] }
    let answers = try git.run(
      [Bytes("cat-file"), Bytes("--batch-check=%(objecttype) %(objectname)")], input: questions)
    let kind = Bytes("tree ")
    return answers.split(separator: .newline).map {
      $0.starts(with: kind) ? Bytes($0.dropFirst(kind.count)) : nil
    }
  }
}
