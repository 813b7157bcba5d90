import Git
import POSIX
import TopicAllocation

/// Carries out a renumbering, all or nothing: if it cannot finish, it is undone.
///
/// The caller must hold the lock of the root and block termination signals.
/// RenumberingJournal.swift describes what a crash leaves.
public struct RenumberingWork {
  private let renumbering: Renumbering
  private let root: Root
  private let git: (repository: Repository, journal: RenumberingJournal)?

  /// Why the renumbering failed, and what could not be undone.
  public struct Failure: Error {
    /// The error that stopped it.
    public let reason: GitError
    /// The paths that could not be restored.
    public let left: [Path]
  }

  /// Creates the work for `renumbering` in `root`.
  ///
  /// - Parameter git: The repository and its journal; nil if the root is not in a work tree.
  public init(
    _ renumbering: Renumbering, in root: Root,
    _ git: (repository: Repository, journal: RenumberingJournal)?
  ) {
    self.renumbering = renumbering
    self.root = root
    self.git = git
  }

  /// Moves the entries, then updates the mentions and links.
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
      // Includes entries that have been added to git since it was asked.
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
      // If a step could not be undone, the journal stays for the recovery.
      if left.isEmpty { journal?.remove() }
      throw Failure(reason: error, left: left)
    }
    journal?.remove()
  }

  /// Makes git note in its index that the moved files are unchanged: git-update-index(1). This
  /// needs no lock. If it fails, only the next git command takes longer.
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
