import Git
import POSIX
import TopicAllocation

/// Finishes a renumbering that a crash has ended half-way: RenumberingJournal.swift.
public struct RenumberingRecovery {
  private let root: Root
  private let repository: Repository
  private let journal: RenumberingJournal

  /// What was done.
  public struct Outcome: Sendable {
    /// The entries that have their new names.
    public let moves: [Renumbering.Move]
    /// How many files were still to be rewritten.
    public let rewritten: Int
  }

  /// Why it is not finished. It can be tried again.
  public enum Failure: Error {
    /// The journal says nothing that this program understands or believes.
    case damaged(Path)
    /// A step failed.
    case step(GitError)
  }

  /// What there is to finish in `root`, as its `journal` says; nil when there is nothing.
  public init?(of root: Root, in repository: Repository, _ journal: RenumberingJournal) {
    if !journal.isThere { return nil }
    self.root = root
    self.repository = repository
    self.journal = journal
  }

  /// Finishes it. For a root that is locked, and with termination signals held.
  public func finish() throws(Failure) -> Outcome {
    let plan: RenumberingJournal.Plan?
    do throws(SystemError) { plan = try journal.read() } catch { throw .step(.system(error)) }
    guard let plan else { throw .damaged(journal.path) }
    // The same name, so that a crash here leaves nothing that the next run does not know.
    var steps = RenumberingSteps(in: root, repository, temporary: plan.temporary)
    do throws(GitError) {
      let moved = try finish(plan.moves, &steps)
      try RenumberingWork.checkIsWanted()
      let rewriting = try Rewriting(moved, in: repository)
      let targets = LinkTargets(moved, in: repository)
      var rewritten = 0
      for file in plan.files {
        let path = repository.path(of: file, after: moved)
        // Whoever has taken its directory away meanwhile needs no mentions in it.
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

  /// Returns those that have their new names now.
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
      // What git mv would have done next.
      case (false, true):
        if !files.isEmpty { renamed.append(move) }
      // Somebody has put something else in its place, or taken it away.
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

  /// All numbers that entries of the root have.
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
