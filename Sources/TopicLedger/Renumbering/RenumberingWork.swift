import Git
import POSIX
import TopicAllocation

/// Renumbers, all or nothing: what cannot be finished is taken back. For a root that is locked, and with
/// termination signals held. What a crash leaves: RenumberingJournal.swift.
public struct RenumberingWork {
  private let renumbering: Renumbering
  private let root: Root
  private let git: (repository: Repository, journal: RenumberingJournal)?

  /// Why nothing is changed; or what is, when it could not be taken back.
  public struct Failure: Error {
    /// What went wrong.
    public let reason: GitError
    /// What could not be taken back: paths.
    public let left: [Path]
  }

  /// The work that `renumbering` wants done in `root`; with `git`, where that is in a work tree.
  public init(
    _ renumbering: Renumbering, in root: Root,
    _ git: (repository: Repository, journal: RenumberingJournal)?
  ) {
    self.renumbering = renumbering
    self.root = root
    self.git = git
  }

  /// Moves the entries, then has the mentions and links follow.
  public func perform() throws(Failure) {
    if renumbering.moves.isEmpty { return }
    let temporary = RenumberingJournal.Plan.temporaryName()
    var steps = RenumberingSteps(in: root, git?.repository, temporary: temporary)
    var journal: RenumberingJournal?
    do throws(GitError) {
      for move in renumbering.moves {
        let new = root.path.appending(move.new)
        if (try? FileStatus.ofLink(new)) != nil { throw .system(.init(.renameat2, new, .exists)) }
      }
      if let git, !renumbering.files.isEmpty || renumbering.moves.contains(where: \.isTracked) {
        journal = git.journal
        do throws(SystemError) {
          try journal?.write(
            RenumberingJournal.Plan(
              moves: renumbering.moves, files: renumbering.files,
              temporary: temporary))
        } catch {
          throw .system(error)
        }
      }
      for move in renumbering.moves {
        try steps.rename(move.old, move.new, byGit: move.needsGitMove)
        try Self.checkIsWanted()
      }
      // Also of what was not tracked when git was asked.
      try steps.renameInIndex(renumbering.moves.filter { !$0.needsGitMove })
      try Self.checkIsWanted()
      if let repository = git?.repository, !renumbering.files.isEmpty {
        let rewriting = try Rewriting(renumbering.moves, in: repository)
        let targets = LinkTargets(renumbering.moves, in: repository)
        let mentions = Dictionary(grouping: renumbering.mentions, by: \.file)
        for file in renumbering.files {
          let path = repository.path(of: file, after: renumbering.moves)
          _ = try steps.update(path, rewriting, targets, mentions: mentions[file] ?? [])
          try Self.checkIsWanted()
        }
      }
    } catch {
      let left = steps.undo()
      // What is half-way stays in the journal, to be finished.
      if left.isEmpty { journal?.remove() }
      throw Failure(reason: error, left: left)
    }
    journal?.remove()
  }

  /// Has git look at the files that have moved, so that its index says that they are unchanged:
  /// git-update-index(1). Needs no lock, and what fails here shows in nothing but the next git's time.
  public func refreshIndex() {
    guard let git, renumbering.moves.contains(where: \.isTracked) else { return }
    _ = try? git.repository.git.attempt(
      ["update-index", "-q", "--refresh"].map { Bytes($0) })
  }

  static func checkIsWanted() throws(GitError) {
    if TerminationSignals.isWaiting { throw .interrupted }
  }
}

extension Renumbering {
  /// The files that change, relative to the top of the work tree, in order.
  var files: [Bytes] {
    Set(mentions.map(\.file) + links.map(\.file)).sorted { $0.lexicographicallyPrecedes($1) }
  }
}
