// Numbers beyond one directory
//
// What the engine is: a ref, which git moves by compare-and-swap, in the repository that all work
// trees share or on a remote. It points at a chain of commits, one for each reservation
// (Reservation.swift); the tip says up to where numbers are taken. `git log` shows the chain.
//
// The order of things, for one allocation (ScopedAllocator.swift):
//
//   1. flock(2) on topic-alloc.lock in the common directory of the repository: processes of one
//      machine queue here, not at the ref. Nothing depends on it; who goes around it meets the ref.
//   2. The next number: one more than the highest of the ledger, of the directories in this root, and,
//      when this repository has seen no ledger yet, when that of the remote was rewound, or when that is
//      asked for, of the same root in every other work tree, branch and remote-tracking branch
//      (Elsewhere.swift), and in the remote's branches as they are now.
//   3. A commit with the tip as its parent, and with a nonce, so that it is nobody else's.
//   4. worktrees: git update-ref REF NEW OLD. remote: git push --force-with-lease=REF:OLD REMOTE
//      NEW:REF; OLD is what was seen last, kept under refs/topic-alloc-remotes (RemoteLedger.swift). Who
//      loses looks again and begins at 2. The number is reserved when git has moved the ref, not before.
//   5. The lock of 1 is let go.
//   6. The locks of the root, and the directories, with exactly these numbers (RootLock.swift). When
//      somebody who numbers in this directory alone has come up to them, all begins at 2 again.
//
// After a crash: before 4, nothing but an unreachable commit, which git removes in time. After 4, the
// number stays reserved and nobody has it: a gap, which is legal here. A push whose answer was lost has
// moved the ref or has not: the tip is fetched, and the reservation is ours when our commit is in it. Branches
// of a remote that were being looked at (Elsewhere.swift) are still in refs/topic-alloc-branches/PID: the next
// reservation removes them under the lock of 1. A --dry-run takes no lock and removes its own.
//
// With --durable, git has the commit and the ref on disk before 5 (core.fsync). On a remote, the server's own
// configuration decides that.
//
// A ledger only grows. When the remote's is rewound or deleted there by somebody, each clone still goes by
// all that it has seen of it, and says so; a clone that has seen nothing cannot know.
//
// The checkout is not touched: no index, no HEAD, no branch, no hook, no configuration.

import Git
import POSIX
import TopicAllocation

/// The ledger of one root.
public struct Ledger: Sendable {
  /// The root in its work tree.
  public internal(set) var repository: Repository
  /// The remote whose ledger it is; nil for that of the repository.
  let remote: String?
  /// Is told what somebody should know, though the work goes on.
  let warn: @Sendable (LedgerWarning) -> Void
  let name: LedgerName
  private let style: Style
  private let begin: Instant

  /// The longest pause before the next attempt.
  private static let longestPause = Duration.milliseconds(500)
  /// After so many refusals in a row of what the ledger itself says, waiting is of no use.
  private static let mostContradictions = 8

  /// The ledger of a root numbered in `style`; with `remote`, the one that its clones share.
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

  /// What the ledger says.
  struct State {
    /// The tip that the next reservation must replace; nil when there is no ledger.
    var tip: String?
    /// The tips of this and every other ledger of the root that this repository knows.
    var tips: [String] = []
    /// The highest number that any of them says; nil when there is none.
    var highest: Int?
    /// Whether the ledger of the remote was rewound, so that others may know more.
    var isRewound = false
    /// The refs of branches that were being looked at when this was read: RemoteLedger.swift.
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
    // What cannot be removed now, because a dry run does it, is for the next one.
    try? removeBranches(state.leftBranches)
    // Where no ledger was seen yet, branches can have more than it: it may have been rewound.
    var elsewhere = Elsewhere(
      of: self, isWanted: rescan || number != nil || state.tip == nil, number: number)
    // Of a remote that was never seen, nothing can be expected.
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

  /// The number that a reservation would get now; with `number` that one, when it is free. Of a remote,
  /// its ledger is fetched.
  public func nextNumber(
    _ number: Int?, rescan: Bool, in root: Root
  ) throws(LedgerError) -> Int {
    let known = try knownState()
    var elsewhere = Elsewhere(
      of: self, isWanted: rescan || number != nil || known.tip == nil, number: number)
    let state = try currentState(after: known)
    // The first reservation is to look at the branches, so it must not find the ledger known.
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

  /// That no reservation and no entry elsewhere has this number. Entries of the root itself are the
  /// allocator's to see to.
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
      // Whatever its style, an entry begins with its number.
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

  /// The ledger as this repository knows it: of a remote, as it was seen last. What any other ledger of
  /// the same root says is taken as well.
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

  /// The ledger as it is now, when `known` is what this repository knows of it.
  private func currentState(after known: State) throws(LedgerError) -> State {
    remote == nil ? known : try fetchedState(after: known)
  }

  // MARK: Compare and swap

  /// What became of a reservation.
  enum Move {
    /// It is in the ledger.
    case done
    /// Somebody else was faster.
    case late
    /// It was refused as too late, or as locked, though the ledger is as it was expected to be.
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
    // Whoever has no name for git reserves as this program.
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
    // Another git holds the ref, or was killed while it did.
    if answer.words.contains("Unable to create") { return .contradicted(words: answer.words) }
    throw .git(.failed(command: "git update-ref", words: answer.words))
  }
}
