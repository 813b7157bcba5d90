import Git
import POSIX
import TopicAllocation

/// Finishes a renumbering after a crash. RenumberingJournal.swift describes the states.
public struct RenumberingRecovery {
  private let root: Root
  private let repository: Repository
  private let journal: RenumberingJournal

  /// The result of a recovery.
  public struct Outcome: Sendable {
    /// The entries that have their new names now.
    public let moves: [Renumbering.Move]
    /// The number of files that still had to be rewritten.
    public let rewritten: Int
  }

  /// Why the recovery failed. It can be retried.
  public enum Failure: Error {
    /// The journal is malformed or untrusted.
    case damaged(Path)
    /// A step failed.
    case step(GitError)
  }

  /// Creates the recovery that `journal` asks for in `root`; nil if there is no journal.
  public init?(of root: Root, in repository: Repository, _ journal: RenumberingJournal) {
    if !journal.isThere { return nil }
    self.root = root
    self.repository = repository
    self.journal = journal
  }

  /// Finishes the renumbering. The caller must hold the lock of the root and block termination
  /// signals.
  public func finish() throws(Failure) -> Outcome {
    let plan: RenumberingJournal.Plan?
    do throws(SystemError) { plan = try journal.read() } catch { throw .step(.system(error)) }
    guard let plan else { throw .damaged(journal.path) }
    // The same temporary name, so a crash here leaves no file that the next run does not know.
    var steps = RenumberingSteps(in: root, repository, temporary: plan.temporary)
    do throws(GitError) {
      let moved = try finish(plan.moves, &steps)
      try RenumberingWork.checkIsWanted()
      let rewriting = try Rewriting(moved, in: repository)
      let targets = LinkTargets(moved, in: repository)
      var rewritten = 0
      for file in plan.files {
        let path = repository.path(of: file, after: moved)
        // If the directory has been removed meanwhile, its mentions do not matter.
        guard repository.encloses(path.parent) else { continue }
        try? Descriptor(opening: path.parent, .directory).removeFile(plan.temporary)
        guard (try? FileStatus.ofLink(path)) != nil else { continue }
        if try steps.update(path, rewriting, targets) { rewritten += 1 }
        try RenumberingWork.checkIsWanted()
      }
      journal.remove()
      return Outcome(moves: moved, rewritten: rewritten)
    } catch {
      throw .step(error)
    }
  }

  /// Moves the entries and returns those that have their new names now.
  private func finish(
    _ moves: [Renumbering.Move], _ steps: inout RenumberingSteps
  ) throws(GitError) -> [Renumbering.Move] {
    let indexed = try repository.indexEntries(of: moves.map(\.old))
    var taken = try numbers()
    var moved: [Renumbering.Move] = []
    var renamed: [Renumbering.Move] = []
    for move in moves {
      let files = indexed[move.old] ?? []
      switch (try isThere(move.old), try isThere(move.new)) {
      case (true, false):
        if let number = Self.number(move.new), !taken.insert(number).inserted { continue }
        let byGit = files.contains { $0.needsGitMove(in: repository.workTree) }
        try steps.rename(move.old, move.new, byGit: byGit)
        if !byGit, !files.isEmpty { renamed.append(move) }
      // The next step of git mv.
      case (false, true):
        if !files.isEmpty { renamed.append(move) }
      // Another process has created the new name, or removed the old one.
      case (true, true), (false, false): continue
      }
      moved.append(move)
      try RenumberingWork.checkIsWanted()
    }
    try steps.renameInIndex(renamed)
    return moved
  }

  private func isThere(_ name: Bytes) throws(GitError) -> Bool {
    do throws(SystemError) {
      _ = try FileStatus.ofLink(root.path.appending(name))
      return true
    } catch {
      if error.errno == .notFound { return false }
      throw .system(error)
    }
  }

  /// All numbers in use in the root.
  private func numbers() throws(GitError) -> Set<Int> {
    var numbers: Set<Int> = []
    do throws(SystemError) {
      try Descriptor(opening: root.path, .directory).forEachEntry { entry, _ in
        if let number = Self.number(entry) { numbers.insert(number) }
      }
    } catch {
      throw .system(error)
    }
    return numbers
  }

  private static func number(_ name: some Sequence<UInt8>) -> Int? {
    let digits = name.prefix { (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) }
    return Int(String(decoding: Bytes(digits), as: UTF8.self))
  }
}
