import Git
import POSIX
import TopicAllocation

/// The numbers that the root of a ledger has in other work trees and in branches: in local and
/// remote-tracking ones, and for the ledger of a remote in its branches as they are now. Looked at once,
/// when somebody asks.
struct Elsewhere {
  /// Whether they count even when there is a ledger.
  let isWanted: Bool
  private let ledger: Ledger
  private var numbers: Numbers

  /// What there is. Thousands of branches have millions of topics, so that they are not kept.
  struct Numbers {
    /// The number that somebody wants to take.
    let wanted: Int?
    /// An entry that has it, and the path of its work tree, or the name of its ref.
    fileprivate(set) var owner: (entry: Bytes, place: Bytes)?
    fileprivate(set) var highest: Int?
    fileprivate var isComplete = false

    fileprivate init(wanted: Int?) {
      self.wanted = wanted
    }

    fileprivate mutating func add(
      _ number: Int, _ entry: @autoclosure () -> Bytes, _ place: @autoclosure () -> Bytes
    ) {
      highest = max(highest ?? 0, number)
      if number == wanted, owner == nil { owner = (entry(), place()) }
    }
  }

  /// With a `number`, also looks for its owner.
  init(of ledger: Ledger, isWanted: Bool, number: Int?) {
    self.ledger = ledger
    self.isWanted = isWanted
    numbers = Numbers(wanted: number)
  }

  /// The numbers of all of them.
  mutating func numbers(_ style: Style) throws(LedgerError) -> Numbers {
    if numbers.isComplete { return numbers }
    let repository = ledger.repository
    var numbers = numbers
    try ledger.withBranchesOfRemote { () throws(LedgerError) in
      try askGit(repository.addNumbersInBranches(to: &numbers, style))
    }
    for workTree in try askGit(repository.otherWorkTrees()) {
      do throws(SystemError) {
        let root = try Root(locating: workTree.appending(repository.relativePath))
        if !root.exists { continue }
        for topic in try root.topics(style) {
          numbers.add(topic.number, topic.entryName, workTree.bytes)
        }
      } catch {
        // One that has been removed by hand has no topics.
        if ![.notFound, .notDirectory].contains(error.errno) { throw .system(error) }
      }
    }
    numbers.isComplete = true
    self.numbers = numbers
    return numbers
  }
}

extension Repository {
  fileprivate func otherWorkTrees() throws(GitError) -> [Path] {
    let list = try git.run("worktree", "list", "--porcelain", "-z")
    let key = Bytes("worktree ")
    return list.split(separator: 0).filter { $0.starts(with: key) }
      .map { Path(Bytes($0.dropFirst(key.count))) }
      .filter { $0 != workTree }
  }

  fileprivate func addNumbersInBranches(
    to numbers: inout Elsewhere.Numbers, _ style: Style
  ) throws(GitError) {
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
    let trees = try trees(of: branches.map(\.commit))
    var found = numbers
    var names: [Tree: Bytes] = [:]
    if numbers.wanted != nil {
      let pairs = zip(trees, branches).compactMap { tree, branch in tree.map { ($0, branch.name) } }
      names = Dictionary(pairs) { first, _ in first }
    }
    try forEachEntry(of: trees.compactMap { $0 }) { tree, entry in
      if let number = style.number(of: entry.name) {
        found.add(number, Bytes(entry.name), names[tree] ?? [])
      }
    }
    numbers = found
  }
}
