import Git
import POSIX
import TopicAllocation

/// The numbers in use outside of this work tree: in other work trees, and in local and
/// remote-tracking branches. The ledger of a remote adds the remote's branches as they are now.
///
/// They are collected once, at the first request.
struct Elsewhere {
  /// Whether to consult them even if a ledger exists.
  let isWanted: Bool
  private let ledger: Ledger
  private var numbers: Numbers

  /// A summary of the numbers. Thousands of branches can have millions of topics, so the numbers
  /// themselves are not kept.
  struct Numbers {
    /// The number that the caller asks for.
    let wanted: Int?
    /// An entry that already has that number, and the path of its work tree or the name of its ref.
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

  /// Creates a search that is not done yet. With `number`, it also looks for an entry that has it.
  init(of ledger: Ledger, isWanted: Bool, number: Int?) {
    self.ledger = ledger
    self.isWanted = isWanted
    numbers = Numbers(wanted: number)
  }

  /// Returns the numbers, which are collected at the first call.
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
        // A work tree that was deleted by hand has no topics.
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
    // Branches at the same commit are read once, and so are equal roots.
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
