import POSIX

/// The entries of a directory in a commit that the checkout may be merged with.
public struct OtherSide: Sendable {
  /// Its entries in that commit.
  public let entries: [Bytes]
  /// Its entries in the merge base of that commit and the checkout.
  public let base: Set<Bytes>
}

extension Repository {
  /// Reads the entries of this directory in the commits that `references` name, in their order.
  ///
  /// All commits are read together: a thousand of them take only a few git processes.
  ///
  /// - Throws: ``GitError/noCommit(_:words:)`` for the first reference that names no commit.
  public func otherSides(_ references: [Bytes]) throws(GitError) -> [OtherSide] {
    let (commits, head) = try commits(references)
    var bases = [Bytes?](repeating: nil, count: commits.count)
    if let head { bases = try mergeBases(of: commits, with: head) }
    let theirs = try trees(of: commits)
    let ours = try trees(of: bases.compactMap { $0 })
    // Most names occur in most trees, so each name is stored once.
    var names: Set<Bytes> = []
    var entries: [Tree: [Bytes]] = [:]
    try forEachEntry(of: (theirs + ours).compactMap { $0 }) { tree, entry in
      entries[tree, default: []].append(names.insert(Bytes(entry.name)).memberAfterInsert)
    }
    var rest = ours[...]
    var sets: [Tree: Set<Bytes>] = [:]
    return zip(theirs, bases).map { tree, base in
      var old: Set<Bytes> = []
      if base != nil, let tree = rest.removeFirst() {
        old = sets[tree] ?? Set(entries[tree] ?? [])
        sets[tree] = old
      }
      return OtherSide(entries: tree.flatMap { entries[$0] } ?? [], base: old)
    }
  }

  /// The IDs of the commits that `references` name, and of HEAD.
  private func commits(
    _ references: [Bytes]
  ) throws(GitError) -> (commits: [Bytes], head: Bytes?) {
    let suffix = Bytes("^{commit}")
    // git-cat-file(1) reads one name per line.
    let isLine = references.map { !$0.contains(.newline) }
    let questions = zip(references, isLine).filter(\.1).map { $0.0 + suffix }
    var answers = try objects([Bytes("HEAD") + suffix] + questions)[...]
    var head = answers.removeFirst()?.id
    if head == nil { head = try headCommit() }
    var commits: [Bytes] = []
    for (reference, isLine) in zip(references, isLine) {
      if isLine, let commit = answers.removeFirst() {
        commits.append(commit.id)
        continue
      }
      let answer = try git.attempt(
        [Bytes("rev-parse"), Bytes("--verify"), Bytes("--end-of-options"), reference + suffix])
      if answer.code != 0 { throw .noCommit(reference, words: answer.words) }
      commits.append(answer.line)
    }
    return (commits, head)
  }

  /// The ID of HEAD; nil if there is no commit yet.
  private func headCommit() throws(GitError) -> Bytes? {
    let log = try git.attempt(
      ["log", "--no-show-signature", "--format=%H", "--max-count=1"].map { Bytes($0) })
    if Self.hasNoCommit(log) { return nil }
    guard log.code == 0 else { throw .failed(command: "git log", words: log.words) }
    return log.line
  }

  /// Whether a log failed because the branch has no commit yet.
  public static func hasNoCommit(_ log: GitCommand.Answer) -> Bool {
    log.code != 0 && log.words.contains("does not have any commits yet")
  }

  // MARK: Merge bases

  /// The merge base of each of `commits` and `head`, as git-merge-base(1) gives it; nil if there is
  /// none.
  ///
  /// The commits that `head` lacks are listed once for all. Where the list ends, the commits that
  /// `head` has are candidates. If a commit has one candidate, that is its base. If it has several,
  /// those that are ancestors of another candidate drop out. Commits older than the oldest
  /// candidate do not matter for that, unless clocks were wrong. If more than one candidate is
  /// left, git decides.
  func mergeBases(of commits: [Bytes], with head: Bytes) throws(GitError) -> [Bytes?] {
    try CommitGraph.mergeBases(
      of: commits, with: head,
      list: { options, commits throws(GitError) in try revisions(options, commits) },
      ask: { commit throws(GitError) in try mergeBase(of: commit, with: head) })
  }

  /// The output of git-rev-list(1).
  private func revisions(
    _ options: [String], _ commits: [Bytes]
  ) throws(GitError) -> Bytes {
    try git.run(
      (["rev-list", "--timestamp", "--parents", "--topo-order"] + options + ["--stdin"])
        .map { Bytes($0) }, input: commits.flatMap { $0 + [.newline] })
  }

  private func mergeBase(of commit: Bytes, with head: Bytes) throws(GitError) -> Bytes? {
    let answer = try git.attempt([Bytes("merge-base"), head, commit])
    // 1 means that there is no merge base.
    guard answer.code <= 1 else { throw .failed(command: "git merge-base", words: answer.words) }
    return answer.code == 0 ? answer.line : nil
  }
}
