// Numbers beyond one directory
//
// The ledger is a git ref, moved by compare-and-swap. It is in the repository that all work trees
// share, or on a remote. The ref points at a chain of commits, one for each reservation
// (Reservation.swift). The tip says up to which number all are taken; `git log` shows the chain.
//
// One allocation takes these steps (ScopedAllocator.swift):
//
//   1. Lock topic-alloc.lock in the common git directory: flock(2). Processes of one machine queue
//      here instead of competing for the ref. Correctness does not depend on it: a process that
//      skips the lock still has to win the ref.
//   2. Choose the next number: one more than the highest in the ledger and in the directories of
//      this root. Other places count too if this repository has seen no ledger yet, if the remote's
//      ledger was rewound, or on request: the same root in every other work tree, branch and
//      remote-tracking branch (Elsewhere.swift), and in the remote's branches as they are now.
//   3. Make a commit whose parent is the tip. It contains a nonce, so no two clients make the same
//      one.
//   4. Move the ref. For work trees: git update-ref REF NEW OLD. For a remote: git push
//      --force-with-lease=REF:OLD REMOTE NEW:REF, where OLD is what this repository saw last, kept
//      under refs/topic-alloc-remotes (RemoteLedger.swift). The number is reserved once git has
//      moved the ref, not before. The loser reads the ledger again and returns to step 2.
//   5. Release the lock of step 1.
//   6. Take the locks of the root and create the directories with exactly these numbers
//      (RootLock.swift). If an allocation in this directory alone has used them up, return to step
//      2.
//
// A crash before step 4 leaves only an unreachable commit, which git removes in time. After step 4,
// the number stays reserved and unused: a gap, which is legal here.
//
// If the answer to a push is lost, the ref may have moved or not. The tip is fetched, and the
// reservation succeeded if it contains our commit.
//
// A crash can also leave branches of a remote in refs/topic-alloc-branches/PID, where
// Elsewhere.swift reads them. The next reservation removes them under the lock of step 1. A
// --dry-run takes no lock and removes its own branches.
//
// With --durable, git syncs the commit and the ref before step 5 (core.fsync). On a remote, the
// configuration of the server decides that.
//
// A ledger only grows. If the one on a remote is rewound or deleted, each clone still honors
// everything it has seen, and warns. A clone that has seen nothing cannot know.
//
// The checkout stays untouched: the index, HEAD, branches and configuration. No hook runs.

import Git
import POSIX
import TopicAllocation

/// The ledger of one root.
public struct Ledger: Sendable {
  /// The root and its work tree.
  public internal(set) var repository: Repository
  /// The remote that holds the ledger; nil if the repository holds it.
  let remote: String?
  /// Receives warnings; the work continues.
  let warn: @Sendable (LedgerWarning) -> Void
  let name: LedgerName
  private let style: Style
  private let begin: Instant

  /// The longest pause before the next attempt.
  private static let longestPause = Duration.milliseconds(500)
  /// After this many refusals in a row that contradict the ledger, waiting is of no use.
  private static let mostContradictions = 8

  /// Creates the ledger of a root.
  ///
  /// - Parameters:
  ///   - repository: The root and its work tree.
  ///   - remote: The remote whose clones share the ledger; nil for the work trees of the
  ///     repository.
  ///   - style: The style of the root's numbers.
  ///   - warn: Receives warnings; the work continues.
  public init(
    of repository: Repository, remote: String?, _ style: Style,
    warn: @escaping @Sendable (LedgerWarning) -> Void
  ) throws(LedgerError) {
    self.repository = repository
    self.remote = remote
    self.style = style
    self.warn = warn
    begin = .now
    name = try askGit(LedgerName(of: repository))
  }

  /// The state of the ledger.
  struct State {
    /// The tip that the next reservation must replace; nil if there is no ledger.
    var tip: String?
    /// The tips of this and every other known ledger of the root.
    var tips: [String] = []
    /// The highest number in any of them; nil if there is none.
    var highest: Int?
    /// Whether the remote's ledger was rewound, so other places may know more.
    var isRewound = false
    /// Refs that were in use for the branches of a remote: RemoteLedger.swift.
    var leftBranches: [Bytes] = []
  }

  // MARK: Reserving

  /// Reserves numbers for new topics with these slugs, consecutive and in their order: all above the
  /// highest number that is known, or with `number` exactly that one. Waits for others until
  /// `deadline`; with `rescan`, looks at all work trees and branches, too.
  public func reserve(
    _ slugs: [Slug], number: Int?, rescan: Bool, in root: Root, until deadline: Instant
  ) throws(LedgerError) -> ClosedRange<Int> {
    let lock = try lock(until: deadline)
    defer { _ = lock.status }
    var state = try knownState()
    // A ref that cannot be removed now, because a dry run is removing it, is left to the next
    // reservation.
    try? removeBranches(state.leftBranches)
    // If no ledger is known, branches may have higher numbers than it: it may have been rewound.
    var elsewhere = Elsewhere(
      of: self, isWanted: rescan || number != nil || state.tip == nil, number: number)
    // For a remote that was never seen, there is no tip to start from.
    if remote != nil, state.tip == nil { state = try fetchedState(after: state) }
    var attempts: UInt64 = 0
    var contradictions = 0
    while true {
      let taken = try highest(state, &elsewhere, in: root)
      let first = number ?? next(taken)
      let last = first + slugs.count - 1
      if last > Style.highestNumber { throw .numbersExhausted(next: first) }
      if let number { try checkIsFree(number, state, &elsewhere) }
      let reservation = Reservation(
        entries: zip(first...last, slugs).map { style.entryName($0, $1) },
        highest: max(last, taken ?? 0))
      let commit = try makeCommit(reservation, parent: state.tip)
      switch try move(from: state.tip, to: commit) {
      case .done: return first...last
      case .late: contradictions = 0
      case .contradicted(let words):
        contradictions += 1
        if contradictions == Self.mostContradictions {
          guard let remote else { throw .git(.failed(command: "git update-ref", words: words)) }
          throw .contradicted(remote: remote, reference: name.ledger, words: words)
        }
      }
      attempts += 1
      let longest = min(Self.longestPause, .milliseconds(10 << min(attempts, 6)))
      let pause = Duration.nanoseconds(Int.random(in: 1...Int(longest.nanoseconds)))
      if deadline - .now < pause {
        throw .notInTime(
          what: "the ledger, which others moved \(attempts) times,",
          waited: Instant.now - begin)
      }
      Instant.sleep(pause)
      state = try currentState(after: try knownState())
    }
  }

  /// Returns the number that a reservation would get now, or `number` if that is free. Fetches the
  /// ledger of a remote.
  public func nextNumber(
    _ number: Int?, rescan: Bool, in root: Root
  ) throws(LedgerError) -> Int {
    let known = try knownState()
    var elsewhere = Elsewhere(
      of: self, isWanted: rescan || number != nil || known.tip == nil, number: number)
    let state = try currentState(after: known)
    // The first reservation must read the branches, so this call may not leave the ledger known.
    defer {
      if known.tip == nil, let remote {
        _ = try? run("update-ref", "--no-deref", "-d", name.tracking(remote))
      }
    }
    if let number {
      try checkIsFree(number, state, &elsewhere)
      return number
    }
    return next(try highest(state, &elsewhere, in: root))
  }

  private func next(_ taken: Int?) -> Int { max((taken ?? style.start - 1) + 1, style.start) }

  private func lock(until deadline: Instant) throws(LedgerError) -> LockFile {
    let name = Bytes("topic-alloc.lock")
    let path = repository.commonDirectory.appending(name)
    let begin = Instant.now
    do throws(SystemError) {
      let lock = try LockFile(
        name, in: Descriptor(opening: repository.commonDirectory, .directory))
      if try lock.file.lock(until: deadline) { return lock }
    } catch {
      throw .system(error)
    }
    throw .lockBusy(path, LockHolder.of(path), waited: Instant.now - begin)
  }

  private func highest(
    _ state: State, _ elsewhere: inout Elsewhere, in root: Root
  ) throws(LedgerError) -> Int? {
    var known = [state.highest]
    do throws(SystemError) {
      known.append(try root.highestNumber(style))
    } catch {
      throw .system(error)
    }
    if elsewhere.isWanted || state.tip == nil || state.isRewound {
      known.append(try elsewhere.numbers(style).highest)
    }
    return known.compactMap { $0 }.max()
  }

  /// Checks that no reservation and no entry elsewhere has this number. The allocator checks the
  /// entries of the root itself.
  private func checkIsFree(
    _ number: Int, _ state: State, _ elsewhere: inout Elsewhere
  ) throws(LedgerError) {
    if let owner = try elsewhere.numbers(style).owner {
      throw .numberTaken(number, by: owner.entry, in: owner.place)
    }
    if state.tips.isEmpty { return }
    let cuts = try askGit(repository.shallowCommits())
    let log = try run(
      ["log", "--no-show-signature", "--format=%H%n%B%x00"].map { Bytes($0) }
        + state.tips.map { Bytes($0) } + [Bytes("--")])
    var isCut = false
    for record in log.split(separator: 0) {
      let message = record.drop { $0 == .newline }
      // In any style, an entry begins with its number.
      for entry in Reservation.entries(inMessage: Bytes(message))
      where Reservation.number(of: entry) == number {
        throw .numberReserved(number, by: entry)
      }
      if cuts.contains(Bytes(message.prefix { $0 != .newline })) { isCut = true }
    }
    if isCut, number <= state.highest ?? 0 {
      throw .recordCut(number, reference: remote.map(name.tracking) ?? name.ledger)
    }
  }

  /// Reads the ledger as this repository knows it; for a remote, as last seen. Includes every other
  /// known ledger of the same root.
  func knownState() throws(LedgerError) -> State {
    let own = remote.map(name.tracking) ?? name.ledger
    let records = try run(
      "for-each-ref", "--format=%(refname) %(objectname) %(contents)%00", name.ledger,
      name.trackingPattern, Self.allFetchedBranches)
    var state = State()
    for record in records.split(separator: 0) {
      let words = record.drop { $0 == .newline }.split(separator: UInt8(ascii: " "), maxSplits: 2)
      guard words.count > 1 else { continue }
      if words[0].starts(with: Bytes(Self.allFetchedBranches)) {
        state.leftBranches.append(Bytes(words[0]))
        continue
      }
      let reference = String(decoding: words[0], as: UTF8.self)
      let tip = String(decoding: words[1], as: UTF8.self)
      let message = words.count > 2 ? Bytes(words[2]) : []
      guard let highest = Reservation.highest(inMessage: message) else {
        throw .damaged(reference: reference, commit: tip)
      }
      state.highest = max(state.highest ?? 0, highest)
      state.tips.append(tip)
      if reference == own { state.tip = tip }
    }
    return state
  }

  /// Reads the current ledger; `known` is what this repository knows of it.
  private func currentState(after known: State) throws(LedgerError) -> State {
    remote == nil ? known : try fetchedState(after: known)
  }

  // MARK: Compare and swap

  /// The result of moving the ref.
  enum Move {
    /// The reservation is in the ledger.
    case done
    /// Another reservation was faster.
    case late
    /// It was refused as too late or as locked, though the ledger has not changed.
    case contradicted(words: String)
  }

  private func makeCommit(
    _ reservation: Reservation, parent: String?
  ) throws(LedgerError) -> String {
    let emptyTree = ["hash-object", "-t", "tree", "-w", "--stdin"].map { Bytes($0) }
    var words = [Bytes("commit-tree")]
    if let parent {
      words += [Bytes(parent + "^{tree}"), Bytes("-p"), Bytes(parent)]
    } else {
      words.append(try run(emptyTree))
    }
    words = [Bytes("-c"), Bytes("i18n.commitEncoding=UTF-8")] + words
    let message = reservation.message(in: repository)
    let answer = try attempt(words, input: message)
    if answer.code == 0 { return String(decoding: answer.line, as: UTF8.self) }
    // If the user has no identity in git, the program's name is used.
    let identity = ["AUTHOR", "COMMITTER"].flatMap { role in
      [Bytes("GIT_\(role)_NAME=topic-alloc"), Bytes("GIT_\(role)_EMAIL=topic-alloc@localhost")]
    }
    return String(
      decoding: try run(words, input: message, variables: identity), as: UTF8.self)
  }

  private func move(from old: String?, to new: String) throws(LedgerError) -> Move {
    if let remote { return try push(from: old, to: new, remote) }
    let answer = try attempt(
      ["update-ref", "--no-deref", "-m", "topic-alloc", name.ledger, new, old ?? ""].map {
        Bytes($0)
      })
    if answer.code == 0 { return .done }
    if try knownState().tip != old { return .late }
    // Another git process holds the ref, or was killed while it held it.
    if answer.words.contains("Unable to create") { return .contradicted(words: answer.words) }
    throw .git(.failed(command: "git update-ref", words: answer.words))
  }
}
