import POSIX

/// Commits and their parents, as `git rev-list --timestamp --parents --topo-order` lists them: children
/// come before parents.
struct CommitGraph {
  private var indices: [Bytes: Int] = [:]
  private var ids: [Bytes] = []
  private var parents: [[Int]] = []
  /// The position of each commit in the list; nil for one that is only a parent or a boundary:
  /// --boundary.
  private var positions: [Int?] = []
  /// The commit times of the list and its boundary, in seconds since 1970.
  private(set) var times: [Bytes: Int] = [:]
  /// The last search that visited each commit.
  private var marks: [Int] = []
  private var searches = 0

  init(_ list: Bytes) {
    for (position, line) in list.split(separator: .newline).enumerated() {
      var words = line.split(separator: UInt8(ascii: " "))[...]
      guard let time = words.popFirst(), let name = words.popFirst() else { continue }
      let isBoundary = name.first == UInt8(ascii: "-")
      let id = Bytes(isBoundary ? name.dropFirst() : name)
      times[id] = Int(String(decoding: time, as: UTF8.self))
      if isBoundary { continue }
      let commit = index(of: id)
      positions[commit] = position
      parents[commit] = words.map { index(of: Bytes($0)) }
    }
  }

  private mutating func index(of id: Bytes) -> Int {
    if let index = indices[id] { return index }
    indices[id] = ids.count
    ids.append(id)
    parents.append([])
    positions.append(nil)
    marks.append(0)
    return ids.count - 1
  }

  /// The ancestors of `commit` that have a child in the list but are not in it themselves; `commit`
  /// itself if it is not in the list.
  mutating func ends(from commit: Bytes) -> [Bytes] {
    guard let start = indices[commit], positions[start] != nil else { return [commit] }
    let ids = ids
    var ends: [Bytes] = []
    search(from: [start]) { index, isListed in
      if !isListed { ends.append(ids[index]) }
      return isListed
    }
    return ends
  }

  /// `commits` without those that are ancestors of others among them, as far as the list shows.
  mutating func withoutAncestors(_ commits: [Bytes]) -> [Bytes] {
    let starts = commits.compactMap { indices[$0] }
    guard let last = starts.compactMap({ self.positions[$0] }).max() else { return commits }
    let positions = positions
    var ancestors: Set<Int> = []
    search(from: starts.flatMap { parents[$0] }) { index, _ in
      // Ancestors come later in the list.
      guard let position = positions[index], position <= last else { return false }
      if starts.contains(index) { ancestors.insert(index) }
      return true
    }
    return commits.filter { !ancestors.contains(indices[$0] ?? -1) }
  }

  /// Calls `body` once for each commit reachable from `starts`. The result of `body` says whether
  /// to visit the parents.
  private mutating func search(from starts: [Int], _ body: (Int, _ isListed: Bool) -> Bool) {
    searches += 1
    var waiting = starts
    while let index = waiting.popLast() {
      if marks[index] == searches { continue }
      marks[index] = searches
      if body(index, positions[index] != nil) { waiting += parents[index] }
    }
  }

  /// The merge base of each of `commits` and `head`; nil if there is none.
  ///
  /// - Parameters:
  ///   - list: Runs git-rev-list(1) with these options on these commits.
  ///   - ask: Runs git-merge-base(1) on one of `commits`, if the lists do not decide.
  static func mergeBases(
    of commits: [Bytes], with head: Bytes,
    list: (_ options: [String], [Bytes]) throws(GitError) -> Bytes,
    ask: (Bytes) throws(GitError) -> Bytes?
  ) throws(GitError) -> [Bytes?] {
    var ahead = CommitGraph(try list(["--boundary"], commits + [Bytes("^") + head]))
    var candidates = commits.map { ahead.ends(from: $0) }
    let several = Set(candidates.filter { $0.count > 1 }.joined())
    if !several.isEmpty {
      let oldest = several.map { ahead.times[$0] ?? 0 }.min() ?? 0
      var behind = CommitGraph(try list(["--max-age=\(oldest)"], Array(several)))
      candidates = candidates.map { $0.count > 1 ? behind.withoutAncestors($0) : $0 }
    }
    var bases: [Bytes?] = []
    for (commit, candidates) in zip(commits, candidates) {
      bases.append(candidates.count > 1 ? try ask(commit) : candidates.first)
    }
    return bases
  }
}
