import CommandLine
import Git
import JSON
import POSIX
import TopicAllocation
import TopicLedger

private enum RenumberFormat: String, CaseIterable {
  case text, json
}

extension Command {
  static let renumber = Command(
    name: "renumber",
    help: """
      Usage: topic renumber [option]... [ROOT]

      Shows how to resolve duplicate numbers in ROOT, or in the detected root. The oldest
      entry of each number keeps it: the one committed first, or else created first. The
      others get the numbers after the highest one. Changes nothing without --apply, which
      also finishes a renumbering that a crash interrupted.

            --apply           rename the entries, also in git's index where git tracks
                              them: all or nothing. Commits nothing
            --dry-run         only show it (default)
            --no-rewrite      leave the old names where text files that git tracks
                              mention them, and in the targets of tracked links
        -f, --format FORMAT   text (default) or json
            --scope SCOPE     reserve the new numbers in this scope: see topic-alloc(1)
            --style STYLE     topic (default), spec-kit or adr; --width, --separator
                              and --suffix change it as in topic-alloc

      """,
    options: [
      Option("apply"), Option("dry-run"), Option("no-rewrite"),
      Option("format", "f", takesValue: true), Option("scope", takesValue: true),
    ] + Style.namingOptions, operands: 0...1
  ) { arguments throws(Failure) in
    let applies = arguments.has("apply")
    if applies, arguments.has("dry-run") {
      throw .usage("--apply and --dry-run exclude each other")
    }
    let format = try arguments.choice("format", of: RenumberFormat.self) ?? .text
    let style = try Style(arguments)
    let root = try root(arguments.operands.first)
    let scope = try Scope.inForce(arguments, for: root, needsGit: true)
    if !root.exists {
      if arguments.operands.isEmpty { return }
      _ = try attempt(FileStatus.of(root.path), otherwise: .noInput)
    }
    let git = try git(of: root)
    let findsMentions = !arguments.has("no-rewrite")
    var look: Renumbering?
    if !applies {
      if recovery(of: root, git) != nil {
        Tool.topic.note(
          "an earlier renumbering of \(root.path.bytes.quotedForMessage) ended half-way;"
            + " --apply finishes it first")
      }
      let proposal = try ask { () throws(LedgerError) in
        try Renumbering(of: root, style, in: git?.repository, findsMentions: findsMentions)
      }
      return try printOut(proposal.report(format, isDone: false))
    }
    if recovery(of: root, git) != nil {
      let lock = try attemptLock(root)
      TerminationSignals.hold()
      try finishEarlier(root, git)
      _ = lock.release()
      TerminationSignals.release()
    }
    var reserved: ClosedRange<Int>?
    func renumbering() throws(Failure) -> Renumbering {
      let known = look
      let first = reserved?.lowerBound
      let now = try ask { () throws(LedgerError) in
        try Renumbering(
          of: root, style, in: git?.repository, first: first, findsMentions: findsMentions,
          after: known)
      }
      look = now
      return now
    }
    func isReserved(_ renumbering: Renumbering) -> Bool {
      scope == .root || renumbering.moves.isEmpty
        || reserved.map { renumbering.numbers.clamped(to: Range($0)) } == renumbering.numbers
    }
    // Whoever numbers in this directory alone can take the numbers that were reserved, again and again.
    for _ in 0..<10 {
      // Reserve and search before locking, so that nobody waits for git while we hold the lock.
      let needed = try renumbering()
      if !isReserved(needed) {
        reserved = try reserve(needed.moves.count, scope, root, style)
      }
      let lock = try attemptLock(root)
      TerminationSignals.hold()
      try finishEarlier(root, git)
      let renumbering = try renumbering()
      if isReserved(renumbering) {
        let report = try renumbering.report(format, isDone: true)
        let work = RenumberingWork(renumbering, in: root, git)
        do throws(RenumberingWork.Failure) { try work.perform() } catch { throw Failure(error) }
        _ = lock.release()
        do throws(Failure) { try printOut(report) } catch {
          throw Failure(
            error.code, (error.message.map { "\($0); " } ?? "") + "all is renumbered",
            advice: error.advice)
        }
        return work.refreshIndex()
      }
      _ = lock.release()
      TerminationSignals.release()
    }
    throw Failure(
      .temporary,
      "cannot renumber \(root.path.bytes.quotedForMessage): others keep taking the numbers that were"
        + " reserved for it", advice: "try again")
  }

  /// The repository of a root, and what a renumbering of it would leave there.
  private typealias Git = (repository: Repository, journal: RenumberingJournal)

  /// Nil where there is no work tree: then there is no history to go by.
  private static func git(of root: Root) throws(Failure) -> Git? {
    do throws(GitError) {
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

  private static var deadline: Instant { Instant.now.advanced(byNanoseconds: 600_000_000_000) }

  private static func ask<Answer>(
    _ question: () throws(LedgerError) -> Answer
  ) throws(Failure) -> Answer {
    do throws(LedgerError) { return try question() } catch {
      throw Failure(error, offersRoot: false)
    }
  }

  /// What a crash has left half done.
  private static func recovery(of root: Root, _ git: Git?) -> RenumberingRecovery? {
    git.flatMap { RenumberingRecovery(of: root, in: $0.repository, $0.journal) }
  }

  private static func attemptLock(_ root: Root) throws(Failure) -> RootLock {
    do throws(AllocationError) {
      return try RootLock.acquire(root, timeout: 30_000_000_000)
    } catch {
      throw Failure(error).withoutTimeout
    }
  }

  /// Finishes what another process has left half done, and says so. Under the lock of the root.
  private static func finishEarlier(_ root: Root, _ git: Git?) throws(Failure) {
    guard let recovery = recovery(of: root, git) else { return }
    do throws(RenumberingRecovery.Failure) {
      let outcome = try recovery.finish()
      let moves = outcome.moves.map {
        "\n  \($0.old.quotedForMessage) -> \($0.new.quotedForMessage)"
      }
      let files = outcome.rewritten
      Tool.topic.note(
        "finished an earlier renumbering that ended half-way, \(files)"
          + " file\(files == 1 ? " was" : "s were") still to be rewritten" + moves.joined())
    } catch {
      throw Failure(error)
    }
  }

  /// So many numbers that belong to nobody else in the scope, which is not the root's own.
  private static func reserve(
    _ count: Int, _ scope: Scope, _ root: Root, _ style: Style
  ) throws(Failure) -> ClosedRange<Int> {
    let slugs = try Slug.ofNames(
      Array(repeating: Bytes("renumbered"), count: count)[...], style.slugRule)
    let waitsUntil = Instant.now.advanced(byNanoseconds: 30_000_000_000)
    var remote: String?
    if case .remote(let name) = scope { remote = name }
    let repository: Repository
    do throws(GitError) { repository = try Repository(holding: root, until: waitsUntil) } catch {
      throw Failure(error).withoutTimeout
    }
    do throws(LedgerError) {
      return try Ledger(of: repository, remote: remote, style) { Tool.topic.note($0) }
        .reserve(slugs, number: nil, rescan: true, in: root, until: waitsUntil)
    } catch {
      throw Failure(error).withoutTimeout
    }
  }
}

extension Failure {
  /// This failure without advice to use `--timeout`, which this command does not have.
  fileprivate var withoutTimeout: Failure {
    Failure(code, message, advice: code == .temporary ? "try again" : advice)
  }

  fileprivate init(_ failure: RenumberingWork.Failure) {
    let reason = Failure(failure.reason, offersRoot: false)
    let state =
      failure.left.isEmpty
      ? "nothing is changed"
      : "these could not be taken back: "
        + failure.left.map(\.bytes.quotedForMessage).joined(separator: ", ")
    self.init(
      reason.code, reason.message.map { "\($0); \(state)" } ?? (failure.left.isEmpty ? nil : state),
      advice: reason.advice)
  }
}

extension Failure {
  fileprivate init(_ failure: RenumberingRecovery.Failure) {
    switch failure {
    case .damaged(let journal):
      self.init(
        .data,
        "cannot trust the renumbering journal \(journal.bytes.quotedForMessage): it is damaged, another user"
          + " could have written it, or it refers to files outside of the work tree",
        advice: "run 'git status' to see what is half done, then remove the journal")
    case .step(let error):
      let reason = Failure(error, offersRoot: false)
      self.init(
        reason.code,
        (reason.message.map { "\($0); " } ?? "") + "an earlier renumbering is still half done",
        advice: reason.advice ?? "the next topic renumber --apply goes on with it")
    }
  }
}

extension Renumbering {
  fileprivate func report(_ format: RenumberFormat, isDone: Bool) throws(Failure) -> Bytes {
    switch format {
    case .text: Bytes(changes + summary(isDone: isDone))
    case .json: try json(isDone: isDone)
    }
  }

  private var changes: String {
    var text = ""
    for move in moves {
      text += "\(move.old.quotedForMessage) -> \(move.new.quotedForMessage)"
      text += "  (\(move.keeper.quotedForMessage) is older)\n"
    }
    for mention in mentions {
      text += "\(mention.file.quotedForMessage):\(mention.line)\n"
      text += "  - \(mention.old.printable)\n  + \(mention.new.printable)\n"
    }
    for link in links {
      text += "\(link.file.quotedForMessage), a symbolic link\n"
      text += "  - \(link.old.printable)\n  + \(link.new.printable)\n"
    }
    return text
  }

  private func summary(isDone: Bool) -> String {
    if moves.isEmpty { return "no duplicate numbers\n" }
    let files = Set(mentions.map(\.file)).count
    let summary =
      "\(moves.count) renamed, \(mentions.count) line\(mentions.count == 1 ? "" : "s")"
      + " in \(files) file\(files == 1 ? "" : "s") rewritten"
      + (links.isEmpty ? "" : ", \(links.count) link\(links.count == 1 ? "" : "s") updated")
    return isDone ? "\(summary)\n" : "nothing is changed yet; with --apply: \(summary)\n"
  }

  private func json(isDone: Bool) throws(Failure) -> Bytes {
    for bytes in moves.map(\.old) + mentions.flatMap({ [$0.file, $0.old] })
      + links.flatMap({ [$0.file, $0.old] })
    where !UTF8Decoder.isValid(bytes) {
      throw Failure(
        .data, "cannot write \(bytes.quotedForMessage) as JSON: it is not UTF-8",
        advice: "use --format text")
    }
    var json = JSONWriter(.indented)
    json.object { json in
      json.member("applied", isDone)
      json.key("renames")
      json.array { json in
        for move in moves {
          json.object { json in
            json.member("from", move.old)
            json.member("to", move.new)
            json.member("keeper", move.keeper)
          }
        }
      }
      json.key("mentions")
      json.array { json in
        for mention in mentions {
          json.object { json in
            json.member("file", mention.file)
            json.member("line", mention.line)
            json.member("from", mention.old)
            json.member("to", mention.new)
          }
        }
      }
      json.key("links")
      json.array { json in
        for link in links {
          json.object { json in
            json.member("file", link.file)
            json.member("from", link.old)
            json.member("to", link.new)
          }
        }
      }
    }
    json.endLine()
    return json.text
  }
}
