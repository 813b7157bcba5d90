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
//      when there is no ledger yet or that is asked for, of the same root in every other work tree,
//      branch and remote-tracking branch (Elsewhere.swift).
//   3. A commit with the tip as its parent, and with a nonce, so that it is nobody else's.
//   4. worktrees: git update-ref REF NEW OLD. remote: git push --force-with-lease=REF:OLD REMOTE
//      NEW:REF; OLD is what was seen last, kept under refs/topic-alloc-remotes. Who loses looks again
//      and begins at 2. The number is reserved when git has moved the ref, not before.
//   5. The lock of 1 is let go.
//   6. The locks of the root, and the directories, with exactly these numbers (RootLock.swift). When
//      somebody who numbers in this directory alone has come up to them, all begins at 2 again.
//
// After a crash: before 4, nothing but an unreachable commit, which git removes in time. After 4, the
// number stays reserved and nobody has it: a gap, which is legal here. A push whose answer was lost has
// moved the ref or has not: the tip is fetched, and the reservation is ours when our commit is in it.
//
// The checkout is not touched: no index, no HEAD, no branch, no hook, no configuration.

import POSIX
import TopicAllocation

/// The ledger of one root.
public struct Ledger: Sendable {
  /// The root in its work tree.
  public let repository: Repository
  /// The remote whose ledger it is; nil for that of the repository.
  let remote: String?
  private let style: Style
  private let name: LedgerName
  private let begin: Instant

  /// The longest pause before the next attempt, in nanoseconds.
  private static let longestPause: UInt64 = 500_000_000

  /// The ledger of a root numbered in `style`; with `remote`, the one that its clones share.
  public init(
    of repository: Repository, remote: String?, _ style: Style
  ) throws(LedgerError) {
    self.repository = repository
    self.remote = remote
    self.style = style
    begin = .now
    if let name = LedgerName(spelling: repository.relativeRoot) {
      self.name = name
    } else {
      name = LedgerName(
        blob: try repository.git.run(
          [Bytes("hash-object"), Bytes("--stdin")], input: repository.relativeRoot))
    }
  }

  /// What the ledger says.
  private struct State {
    /// The tip that the next reservation must replace; nil when there is no ledger.
    var tip: String?
    /// The highest number that it, or one that it was before, says; nil when there is none.
    var highest: Int?
  }

  // MARK: Reserving

  /// Reserves numbers for new topics with these slugs, consecutive and in their order: all above the
  /// highest number that is known, or with `number` exactly that one. Waits for others until
  /// `deadline`; with `rescan`, looks at all work trees and branches, too.
  public func reserve(
    _ slugs: [Slug], number: Int?, rescan: Bool, in root: Root, until deadline: Instant
  ) throws(LedgerError) -> ClosedRange<Int> {
    let lock = try lock(until: deadline)
    defer { _ = lock.path }
    var state = try knownState()
    // Of a remote that was never seen, nothing can be expected.
    if remote != nil, state.tip == nil { state = try fetchedState() }
    var attempts: UInt64 = 0
    while true {
      let taken = try highest(state, rescan: rescan, in: root)
      let first = number ?? max((taken ?? style.start - 1) + 1, style.start)
      let last = first + slugs.count - 1
      if last > Style.highestNumber { throw .numbersExhausted(next: first) }
      if let number { try checkIsFree(number, state) }
      let reservation = Reservation(
        entries: zip(first...last, slugs).map { style.entryName($0, $1) },
        highest: max(last, taken ?? 0))
      let commit = try makeCommit(reservation, parent: state.tip)
      if try move(from: state.tip, to: commit) { return first...last }
      attempts += 1
      let pause = UInt64.random(
        in: 1...min(Self.longestPause, 10_000_000 << min(attempts, 6)))
      if deadline.nanoseconds(since: .now) < pause {
        throw .notInTime(
          what: "the ledger, which others moved \(attempts) times,",
          waited: Instant.now.nanoseconds(since: begin))
      }
      Instant.sleep(nanoseconds: pause)
      state = remote == nil ? try knownState() : try fetchedState()
    }
  }

  /// The number that a reservation would get now. Of a remote, its ledger is fetched.
  public func nextNumber(rescan: Bool, in root: Root) throws(LedgerError) -> Int {
    let state = remote == nil ? try knownState() : try fetchedState()
    let taken = try highest(state, rescan: rescan, in: root)
    return max((taken ?? style.start - 1) + 1, style.start)
  }

  private func lock(until deadline: Instant) throws(LedgerError) -> Descriptor {
    let path = repository.commonDirectory.appending("topic-alloc.lock")
    let begin = Instant.now
    do throws(SystemError) {
      let file = try Descriptor(opening: path, .appending)
      if try file.lock(until: deadline) { return file }
    } catch {
      throw .system(error)
    }
    throw .lockBusy(path, LockHolder.of(path), waited: Instant.now.nanoseconds(since: begin))
  }

  private func highest(
    _ state: State, rescan: Bool, in root: Root
  ) throws(LedgerError) -> Int? {
    var known = [state.highest]
    do throws(SystemError) {
      known.append(try root.highestNumber(style))
    } catch {
      throw .system(error)
    }
    if rescan || state.tip == nil { known.append(try repository.highestElsewhere(style)) }
    return known.compactMap { $0 }.max()
  }

  /// That no reservation of the chain has this number.
  private func checkIsFree(_ number: Int, _ state: State) throws(LedgerError) {
    guard let tip = state.tip else { return }
    let log = try repository.git.run("log", "--no-show-signature", "--format=%B", tip)
    for entry in Reservation.entries(inMessage: log) where style.number(of: entry) == number {
      throw .numberReserved(number, by: entry)
    }
  }

  // MARK: What is there

  /// The ledger as this repository knows it: of a remote, as it was seen last. What any other ledger of
  /// the same root says is taken as well.
  private func knownState() throws(LedgerError) -> State {
    let own = remote.map(name.tracking) ?? name.ledger
    let records = try repository.git.run(
      "for-each-ref", "--format=%(refname) %(objectname) %(contents)%00", name.ledger,
      name.trackingPattern)
    var state = State()
    for record in records.split(separator: 0) {
      let words = record.drop { $0 == .newline }.split(separator: UInt8(ascii: " "), maxSplits: 2)
      guard words.count > 1 else { continue }
      let reference = String(decoding: words[0], as: UTF8.self)
      let tip = String(decoding: words[1], as: UTF8.self)
      let message = words.count > 2 ? Bytes(words[2]) : []
      guard let highest = Reservation.highest(inMessage: message) else {
        throw .damaged(reference: reference, commit: tip)
      }
      state.highest = max(state.highest ?? 0, highest)
      if reference == own { state.tip = tip }
    }
    return state
  }

  /// The ledger of the remote as it is now.
  private func fetchedState() throws(LedgerError) -> State {
    guard let remote else { return try knownState() }
    let tracking = name.tracking(remote)
    // What was seen once stays true, also when the ledger is rewound there.
    let seen = try knownState().highest
    let answer = try ask(
      remote,
      [
        "fetch", "--quiet", "--no-tags", "--no-prune", "--no-write-fetch-head",
        "--no-recurse-submodules", "--no-auto-maintenance", remote, "+\(name.ledger):\(tracking)",
      ])
    if answer.code == 0 {
      var state = try knownState()
      state.highest = [state.highest, seen].compactMap { $0 }.max()
      return state
    }
    guard answer.words.contains("couldn't find remote ref") else {
      throw unreachable(remote, answer.words)
    }
    // There is none, or none any more; what it said stays true.
    var state = try knownState()
    if state.tip != nil {
      _ = try repository.git.run("update-ref", "-d", tracking)
      state.tip = nil
    }
    return state
  }

  /// Runs a command that talks to the remote. One that does not answer in time is not reachable.
  private func ask(_ remote: String, _ words: [String]) throws(LedgerError) -> Git.Answer {
    do throws(LedgerError) {
      return try repository.git.attempt(words.map { Bytes($0) })
    } catch {
      guard case .notInTime(_, let waited) = error else { throw error }
      throw .unreachable(
        remote: remote,
        words: "no answer after \((waited + 500_000_000) / 1_000_000_000) s; --timeout waits longer"
      )
    }
  }

  private func unreachable(_ remote: String, _ words: String) -> LedgerError {
    let isUnknown =
      words.contains("does not appear to be a git repository")
      && (try? repository.git.run("remote", "get-url", remote)) == nil
    return isUnknown ? .unknownRemote(remote) : .unreachable(remote: remote, words: words)
  }

  // MARK: Compare and swap

  private func makeCommit(
    _ reservation: Reservation, parent: String?
  ) throws(LedgerError) -> String {
    let git = repository.git
    let emptyTree = ["hash-object", "-t", "tree", "-w", "--stdin"].map { Bytes($0) }
    var words = [Bytes("commit-tree")]
    if let parent {
      words += [Bytes(parent + "^{tree}"), Bytes("-p"), Bytes(parent)]
    } else {
      words.append(try git.run(emptyTree))
    }
    words = [Bytes("-c"), Bytes("i18n.commitEncoding=UTF-8")] + words
    let message = reservation.message(in: repository)
    let answer = try git.attempt(words, input: message)
    if answer.code == 0 { return String(decoding: answer.line, as: UTF8.self) }
    // Whoever has no name for git reserves as this program.
    let identity = ["AUTHOR", "COMMITTER"].flatMap { role in
      [Bytes("GIT_\(role)_NAME=topic-alloc"), Bytes("GIT_\(role)_EMAIL=topic-alloc@localhost")]
    }
    return String(
      decoding: try git.run(words, input: message, variables: identity), as: UTF8.self)
  }

  /// Whether the ledger has been moved; false when somebody else was faster.
  private func move(from old: String?, to new: String) throws(LedgerError) -> Bool {
    if let remote { return try push(from: old, to: new, remote) }
    let answer = try repository.git.attempt(
      ["update-ref", "--no-deref", "-m", "topic-alloc", name.ledger, new, old ?? ""].map {
        Bytes($0)
      })
    if answer.code == 0 { return true }
    if try knownState().tip != old || answer.words.contains("Unable to create") { return false }
    throw .git(command: "git update-ref", words: answer.words)
  }

  private func push(from old: String?, to new: String, _ remote: String) throws(LedgerError) -> Bool
  {
    let answer = try ask(
      remote,
      [
        "-c", "remote.\(remote).mirror=false", "-c", "push.pushOption=", "push", "--porcelain",
        "--no-verify", "--no-follow-tags", "--no-signed", "--recurse-submodules=no",
        "--force-with-lease=\(name.ledger):\(old ?? "")", remote, "\(new):\(name.ledger)",
      ])
    let tracking = name.tracking(remote)
    if answer.code == 0 {
      _ = try repository.git.run("update-ref", "--no-deref", tracking, new)
      return true
    }
    let reason = answer.output.split(separator: .newline).first { $0.first == UInt8(ascii: "!") }
    // The answer can have been lost on the way, so it is the ledger that says who has won.
    guard let now = try? fetchedState() else { throw unreachable(remote, answer.words) }
    if let tip = now.tip, tip != old {
      let isOurs = try repository.git.attempt(
        ["merge-base", "--is-ancestor", new, tip].map { Bytes($0) })
      return isOurs.code == 0
    }
    guard let reason else { throw unreachable(remote, answer.words) }
    let line = String(decoding: reason, as: UTF8.self)
    // Another push holds the ref there, or held it a moment ago.
    let isBusy = ["stale info", "cannot lock ref", "failed to update ref", "failed to lock"]
      .contains { line.contains($0) || answer.words.contains($0) }
    if isBusy { return false }
    throw .refused(
      remote: remote, words: [line, answer.words].filter { !$0.isEmpty }.joined(separator: "\n"))
  }
}
