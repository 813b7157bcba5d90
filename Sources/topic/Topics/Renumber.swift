import CommandLine
import Git
import POSIX
import TopicAllocation
import TopicLedger

extension Command {
  static let renumber = Command(
    "renumber", "resolve duplicate numbers and update what mentions the old names",
    Syntax(
      .root,
      options: [
        OptionGroup(
          "Options",
          [
            Option(
              "apply",
              help: """
                Rename the entries, also in git's index where git tracks them: all or nothing.
                Nothing is committed.
                """),
            Option("dry-run", help: "Only show the changes (default)."),
            Option(
              "no-rewrite", help: "Leave mentions and the targets of symbolic links unchanged."),
            .reportFormat,
            .scope,
          ]), OptionGroup("Naming", Style.namingOptions),
      ],
      text: """
        Shows how to resolve duplicate numbers in ROOT. Without `--apply`, changes nothing.

        The oldest entry of each number keeps it: the one committed first, or else the one created
        first. The others get the numbers after the highest one, reserved in the scope. Text files that git tracks follow:
        where they mention an old name as a word of its own, the new name replaces it, unless the
        path before the name leads to an entry of that name in another directory. The targets of
        symbolic links that git tracks follow, too.

        # With --apply

        The command searches git's history and the tracked files before it locks
        ROOT, and holds the lock while it renames entries and rewrites files. It moves an entry that
        holds a submodule with git-mv(1). It does not run filters from git's configuration (see
        gitattributes(5)).

        If a crash interrupts it, the next `--apply` finishes that renumbering first, with the
        numbers chosen then, and reports it on standard error. Until then, its journal stays in
        `topic-renumber.*` in the git directory of the work tree. If another user could have written
        the journal, or if it refers to anything outside of the work tree, the command exits with 65.

        # JSON

        An object with the keys `applied`, `renames`, `mentions` and `links`.
        """,
      examples: """
        topic renumber specs
        topic renumber --apply specs && git diff --cached --stat
        """)
  ) { arguments throws(Failure) in
    let applies = arguments.has("apply")
    if applies, arguments.has("dry-run") {
      throw .usage("--apply and --dry-run exclude each other")
    }
    let format = try arguments.choice("format", of: ReportFormat.self) ?? .text
    let style = try Style(arguments)
    let root = try root(arguments.operands.first)
    let scope = try Scope.inForce(arguments, for: root, needsGit: true)
    if !root.exists {
      if arguments.operands.isEmpty { return }
      _ = try attempt(FileStatus.of(root.path), otherwise: .noInput)
    }
    var call = try RenumberCall(
      root: root, style: style, scope: scope, git: git(of: root),
      findsMentions: !arguments.has("no-rewrite"), format: format)
    try applies ? call.apply() : call.show()
  }

  /// Nil if there is no work tree, and so no history.
  private static func git(of root: Root) throws(Failure) -> RenumberCall.Git? {
    do throws(GitError) {
      let deadline = Instant.now + .seconds(600)
      var repository = try Repository(holding: root, until: deadline)
      let journal = try RenumberingJournal(of: repository)
      try repository.git.switchOffFilters()
      return (repository, journal)
    } catch {
      switch error {
      case .noWorkTree: return nil
      case .noGit where Location.workTree(holding: root.path) == nil: return nil
      default: throw Failure(error, offersRoot: false)
      }
    }
  }
}

/// A call of `topic renumber`.
private struct RenumberCall {
  /// The repository of a root, and the journal that a renumbering keeps there.
  typealias Git = (repository: Repository, journal: RenumberingJournal)

  let root: Root
  let style: Style
  let scope: Scope
  let git: Git?
  let findsMentions: Bool
  let format: ReportFormat
  /// The last search, on which the next one builds.
  var known: Renumbering?
  /// Numbers that are reserved in the scope.
  var reserved: ClosedRange<Int>?

  /// Shows what ``apply()`` would do.
  mutating func show() throws(Failure) {
    if interrupted != nil {
      Tool.topic.note(
        "an earlier renumbering of \(root.path.bytes.quotedForMessage) was interrupted;"
          + " --apply finishes it first")
    }
    try printOut(search().report(format, isDone: false))
  }

  mutating func apply() throws(Failure) {
    if interrupted != nil {
      let lock = try acquireLock()
      try finishInterrupted()
      _ = lock.release()
      TerminationSignals.release()
    }
    // A caller without a scope can take the reserved numbers, again and again.
    for _ in 0..<10 {
      // Reserve and search before locking: nobody should wait for git.
      let needed = try search()
      if !isReserved(needed) { reserved = try reserve(needed.moves.count) }
      let lock = try acquireLock()
      try finishInterrupted()
      let renumbering = try search()
      if isReserved(renumbering) { return try perform(renumbering, lock) }
      _ = lock.release()
      TerminationSignals.release()
    }
    throw Failure(
      .temporary,
      "cannot renumber \(root.path.bytes.quotedForMessage): others keep taking the reserved numbers",
      advice: "try again")
  }

  private func perform(
    _ renumbering: Renumbering, _ lock: consuming RootLock
  ) throws(Failure) {
    let report = try renumbering.report(format, isDone: true)
    let work = RenumberingWork(renumbering, in: root, git)
    do throws(RenumberingWork.Failure) { try work.perform() } catch { throw Failure(error) }
    _ = lock.release()
    do throws(Failure) { try printOut(report) } catch {
      throw Failure(
        error.code, (error.message.map { "\($0); " } ?? "") + "the renumbering is done",
        advice: error.advice)
    }
    work.refreshIndex()
  }

  private mutating func search() throws(Failure) -> Renumbering {
    do throws(LedgerError) {
      let renumbering = try Renumbering(
        of: root, style, in: git?.repository, first: reserved?.lowerBound,
        findsMentions: findsMentions, after: known)
      known = renumbering
      return renumbering
    } catch {
      throw Failure(error, offersRoot: false)
    }
  }

  private func isReserved(_ renumbering: Renumbering) -> Bool {
    scope == .root || renumbering.moves.isEmpty
      || reserved.map { renumbering.numbers.clamped(to: Range($0)) } == renumbering.numbers
  }

  /// Locks the root, and holds back signals from then on.
  private func acquireLock() throws(Failure) -> RootLock {
    do throws(AllocationError) {
      let lock = try RootLock.acquire(root, timeout: .seconds(30))
      TerminationSignals.hold()
      return lock
    } catch {
      throw Failure(error).withoutTimeout
    }
  }

  /// A renumbering that a crash interrupted.
  private var interrupted: RenumberingRecovery? {
    git.flatMap { RenumberingRecovery(of: root, in: $0.repository, $0.journal) }
  }

  /// Finishes a renumbering that a crash interrupted, and reports it. Call it under the lock of the root.
  private func finishInterrupted() throws(Failure) {
    guard let interrupted else { return }
    do throws(RenumberingRecovery.Failure) {
      let outcome = try interrupted.finish()
      let moves = outcome.moves.map {
        "\n  \($0.old.quotedForMessage) -> \($0.new.quotedForMessage)"
      }
      let files = outcome.rewritten
      Tool.topic.note(
        "finished an interrupted renumbering, rewrote the remaining \(files)"
          + " file\(files == 1 ? "" : "s")" + moves.joined())
    } catch {
      throw Failure(error)
    }
  }

  /// Reserves `count` numbers in a scope beyond `root`.
  private func reserve(_ count: Int) throws(Failure) -> ClosedRange<Int> {
    let slugs = try Slug.ofNames(
      Array(repeating: Bytes("renumbered"), count: count)[...], style.slugRule)
    let deadline = Instant.now + .seconds(30)
    var remote: String?
    if case .remote(let name) = scope { remote = name }
    let repository: Repository
    do throws(GitError) { repository = try Repository(holding: root, until: deadline) } catch {
      throw Failure(error).withoutTimeout
    }
    do throws(LedgerError) {
      return try Ledger(of: repository, remote: remote, style) { Tool.topic.note($0) }
        .reserve(slugs, number: nil, rescan: true, in: root, until: deadline)
    } catch {
      throw Failure(error).withoutTimeout
    }
  }
}

extension Failure {
  /// This failure without the advice to use `--timeout`, which this command lacks.
  fileprivate var withoutTimeout: Failure {
    Failure(code, message, advice: code == .temporary ? "try again" : advice)
  }

  fileprivate init(_ failure: RenumberingWork.Failure) {
    let reason = Failure(failure.reason, offersRoot: false)
    let state =
      failure.left.isEmpty
      ? "nothing is changed"
      : "these changes could not be undone: "
        + failure.left.map(\.bytes.quotedForMessage).joined(separator: ", ")
    self.init(
      reason.code, reason.message.map { "\($0); \(state)" } ?? (failure.left.isEmpty ? nil : state),
      advice: reason.advice)
  }

  fileprivate init(_ failure: RenumberingRecovery.Failure) {
    switch failure {
    case .damaged(let journal):
      self.init(
        .data,
        "cannot trust the renumbering journal \(journal.bytes.quotedForMessage): it is damaged, another user"
          + " could have written it, or it refers to files outside of the work tree",
        advice: "run 'git status' to see what was renamed, then remove the journal")
    case .step(let error):
      let reason = Failure(error, offersRoot: false)
      self.init(
        reason.code,
        (reason.message.map { "\($0); " } ?? "") + "an earlier renumbering is still unfinished",
        advice: reason.advice ?? "run 'topic renumber --apply' again to finish it")
    }
  }
}
