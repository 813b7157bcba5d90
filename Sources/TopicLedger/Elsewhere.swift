import POSIX
import TopicAllocation

extension Repository {
  /// The highest number that the same root has in any other work tree, local branch or remote-tracking
  /// branch; nil when there is none.
  func highestElsewhere(_ style: Style) throws(LedgerError) -> Int? {
    var highest = try highestInBranches(style)
    for workTree in try otherWorkTrees() {
      // One that has been removed by hand has no topics.
      guard let root = try? Root(locating: workTree.appending(relativeRoot)),
        let number = try? root.highestNumber(style)
      else { continue }
      highest = max(highest ?? 0, number)
    }
    return highest
  }

  private func otherWorkTrees() throws(LedgerError) -> [Path] {
    let list = try git.run("worktree", "list", "--porcelain", "-z")
    let key = Bytes("worktree ")
    return list.split(separator: 0).filter { $0.starts(with: key) }
      .map { Path(Bytes($0.dropFirst(key.count))) }
      .filter { $0 != workTree }
  }

  private func highestInBranches(_ style: Style) throws(LedgerError) -> Int? {
    let list = try git.run(
      "for-each-ref", "--format=%(objectname)", "refs/heads", "refs/remotes")
    // Branches that point at the same commit are asked once, and so are roots that are the same.
    let commits = Set(list.split(separator: .newline).map { String(decoding: $0, as: UTF8.self) })
    var seen: Set<Bytes> = []
    var highest: Int?
    for tree in try trees(of: commits.sorted()) where seen.insert(tree).inserted {
      for entry in try entries(inTree: tree) {
        if let number = style.number(of: entry) { highest = max(highest ?? 0, number) }
      }
    }
    return highest
  }

  /// The ids of this root's trees in these commits: git-cat-file(1).
  private func trees(of commits: [String]) throws(LedgerError) -> [Bytes] {
    // A question is a line.
    if relativeRoot.contains(.newline) {
      return commits.compactMap { commit in
        try? git.run([
          Bytes("rev-parse"), Bytes("--verify"), Bytes("-q"), Bytes(commit + ":") + relativeRoot,
        ])
      }
    }
    let questions = commits.flatMap { Bytes($0 + ":") + relativeRoot + [.newline] }
    let answers = try git.run(
      [Bytes("cat-file"), Bytes("--batch-check=%(objecttype) %(objectname)")], input: questions)
    let kind = Bytes("tree ")
    return answers.split(separator: .newline).filter { $0.starts(with: kind) }
      .map { Bytes($0.dropFirst(kind.count)) }
  }
}
