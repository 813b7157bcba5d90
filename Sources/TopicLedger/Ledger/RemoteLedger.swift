import Git
import POSIX

// The ledger of a remote
//
// The ref refs/topic-alloc-remotes/REMOTE/NAME holds the ledger as this repository last saw it. If
// the ledger is rewound or deleted on the remote, the former tip is kept beside it, under its ID.
// So no number that this repository has seen is assigned again.

extension Ledger {
  /// Fetches the current ledger of the remote; `known` is what was last seen of it.
  func fetchedState(after known: State) throws(LedgerError) -> State {
    guard let remote else { return known }
    var isRewound = false
    var answer = try fetch("\(name.ledger):\(name.tracking(remote))", remote)
    if answer.code != 0, let tip = known.tip, answer.words.contains("[rejected]") {
      try keep(tip, remote)
      answer = try fetch("+\(name.ledger):\(name.tracking(remote))", remote)
      isRewound = true
      if answer.code == 0 { warn(.rewound(remote: remote, reference: name.ledger)) }
    }
    if answer.code == 0 {
      var state = try knownState()
      state.isRewound = isRewound
      return state
    }
    guard answer.words.contains("couldn't find remote ref") else {
      throw unreachable(remote, answer.words)
    }
    if known.tip != nil { warn(.deleted(remote: remote, reference: name.ledger)) }
    return try forget(known.tip, remote)
  }

  /// Fetches one ref, or several by a pattern, and nothing else. If another git process holds a ref
  /// of ours, for example in the push of a killed client, retries for half a second.
  private func fetch(_ reference: String, _ remote: String) throws(LedgerError) -> GitCommand.Answer
  {
    var attempts = 0
    while true {
      let answer = try ask(
        remote,
        [
          "fetch", "--no-tags", "--no-prune", "--no-write-fetch-head", "--refmap=",
          "--no-recurse-submodules", "--no-auto-maintenance", remote, reference,
        ])
      let isHeld = ["cannot lock ref", "Unable to create"].contains { answer.words.contains($0) }
      if answer.code == 0 || !isHeld { return answer }
      attempts += 1
      if attempts == 10 { throw .git(.failed(command: "git fetch", words: answer.words)) }
      Instant.sleep(.milliseconds(50))
    }
  }

  private func keep(_ tip: String, _ remote: String) throws(LedgerError) {
    _ = try run("update-ref", "--no-deref", name.superseded(remote, tip), tip)
  }

  /// Forgets the tracking ref of a ledger that no longer exists, but keeps its tip.
  private func forget(_ tip: String?, _ remote: String) throws(LedgerError) -> State {
    if let tip { try keep(tip, remote) }
    _ = try run("update-ref", "--no-deref", "-d", name.tracking(remote))
    return try knownState()
  }

  // MARK: Branches

  /// The refs that hold the branches of a remote while this process reads them.
  static let fetchedBranches = allFetchedBranches + String(System.process)
  /// The same refs of all processes.
  static let allFetchedBranches = "refs/topic-alloc-branches/"

  /// Calls `body` while the current branches of the remote are in ``fetchedBranches``. The
  /// remote-tracking branches of the user do not change.
  func withBranchesOfRemote<Result>(
    _ body: () throws(LedgerError) -> Result
  ) throws(LedgerError) -> Result {
    guard let remote else { return try body() }
    // Branches left by a crash would be mistaken for the remote's.
    try removeFetchedBranches()
    let answer = try fetch("+refs/heads/*:\(Self.fetchedBranches)/*", remote)
    if answer.code != 0 { throw unreachable(remote, answer.words) }
    let result: Result
    do throws(LedgerError) { result = try body() } catch {
      try? removeFetchedBranches()
      throw error
    }
    try removeFetchedBranches()
    return result
  }

  private func removeFetchedBranches() throws(LedgerError) {
    let names = try run(
      "for-each-ref", "--format=%(refname)", Self.fetchedBranches)
    try removeBranches(names.split(separator: .newline).map { Bytes($0) })
  }

  /// Deletes these refs: git-update-ref(1).
  func removeBranches(_ names: [Bytes]) throws(LedgerError) {
    if names.isEmpty { return }
    let commands = names.flatMap { Bytes("delete ") + $0 + [.newline] }
    _ = try run(
      [Bytes("update-ref"), Bytes("--no-deref"), Bytes("--stdin")], input: commands)
  }

  // MARK: Asking

  /// Runs a command that talks to the remote. One that does not answer in time is not reachable.
  private func ask(_ remote: String, _ words: [String]) throws(LedgerError) -> GitCommand.Answer {
    do throws(GitError) {
      return try repository.git.attempt(words.map { Bytes($0) })
    } catch {
      guard case .notInTime(_, let waited) = error else { throw .git(error) }
      throw .unreachable(
        remote: remote,
        words:
          "no answer after \((waited + .milliseconds(500)).components.seconds) s; --timeout waits longer"
      )
    }
  }

  private func unreachable(_ remote: String, _ words: String) -> LedgerError {
    let isUnknown =
      words.contains("does not appear to be a git repository")
      && (try? run("remote", "get-url", remote)) == nil
    return isUnknown ? .unknownRemote(remote) : .unreachable(remote: remote, words: words)
  }

  // MARK: Compare and swap

  private func isIn(_ tip: String, _ commit: String) throws(LedgerError) -> Bool {
    let answer = try attempt(
      ["merge-base", "--is-ancestor", commit, tip].map { Bytes($0) })
    // 1 means that it is not an ancestor.
    guard answer.code <= 1 else {
      throw .git(.failed(command: "git merge-base", words: answer.words))
    }
    return answer.code == 0
  }

  /// Finds out whether a push without an answer has succeeded, by fetching the ledger once more.
  private func found(
    _ new: String, _ remote: String, _ words: String
  ) throws(LedgerError) -> Move {
    var later = self
    later.repository.git.deadline = Instant.now + .seconds(5)
    if let now = try? later.fetchedState(after: later.knownState()), let tip = now.tip,
      try later.isIn(tip, new)
    {
      return .done
    }
    throw .unreachable(
      remote: remote,
      words: words + "\nwhether the number was reserved is not known; if it was, it stays a gap")
  }

  /// Pushes `new` in place of `old`. git updates the tracking ref, as for any branch.
  func push(
    from old: String?, to new: String, _ remote: String
  ) throws(LedgerError) -> Move {
    let answer: GitCommand.Answer
    do throws(LedgerError) {
      answer = try ask(
        remote,
        [
          "-c", "remote.\(remote).mirror=false", "-c", "push.pushOption=",
          "-c", "remote.\(remote).fetch=+\(name.ledger):\(name.tracking(remote))",
          "push", "--porcelain", "--no-verify", "--no-follow-tags", "--no-signed",
          "--recurse-submodules=no", "--force-with-lease=\(name.ledger):\(old ?? "")", remote,
          "\(new):\(name.ledger)",
        ])
    } catch {
      guard case .unreachable(_, let words) = error else { throw error }
      return try found(new, remote, words)
    }
    if answer.code == 0 { return .done }
    let reason = answer.output.split(separator: .newline).first { $0.first == UInt8(ascii: "!") }
    let line = String(decoding: reason ?? [], as: UTF8.self)
    // The push's answer can get lost, so the ledger tells which reservation won.
    let now: State
    do throws(LedgerError) { now = try fetchedState(after: knownState()) } catch {
      if case .git(.failed) = error { throw error }
      throw unreachable(remote, answer.words)
    }
    if let tip = now.tip, tip != old { return try isIn(tip, new) ? .done : .late }
    if reason == nil { throw unreachable(remote, answer.words) }
    let words = [line, answer.words].filter { !$0.isEmpty }.joined(separator: "\n")
    // The push was refused as late, but the ledger that we see has not changed.
    if line.contains("stale info") { return .contradicted(words: words) }
    // Another push holds the ref there, or held it a moment ago. This line does not contain the
    // output of hooks.
    let isBusy = [
      "cannot lock ref", "failed to update ref", "failed to lock", "incorrect old value",
    ]
    .contains { line.contains($0) }
    if isBusy { return .contradicted(words: words) }
    throw .refused(remote: remote, words: words)
  }
}
