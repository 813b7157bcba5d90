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
    case step(LedgerError)
  }

  /// What there is to finish in `root`; nil when there is nothing.
  public init?(of root: Root, in repository: Repository) throws(LedgerError) {
    journal = try RenumberingJournal(of: repository)
    if !journal.isThere { return nil }
    self.root = root
    self.repository = repository
  }

  /// Finishes it. For a root that is locked, and with termination signals held.
  public func finish() throws(Failure) -> Outcome {
    let plan: RenumberingJournal.Plan?
    do throws(SystemError) { plan = try journal.read() } catch { throw .step(.system(error)) }
    guard let plan else { throw .damaged(journal.path) }
    // The same name, so that a crash here leaves nothing that the next run does not know.
    var steps = RenumberingSteps(in: root, repository, temporary: plan.temporary)
    do throws(LedgerError) {
      var moved: [Renumbering.Move] = []
      for move in plan.moves {
        if try finish(move, &steps) { moved.append(move) }
        try RenumberingWork.checkIsWanted()
      }
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

  /// Returns whether the entry has its new name now.
  private func finish(
    _ move: Renumbering.Move, _ steps: inout RenumberingSteps
  ) throws(LedgerError) -> Bool {
    let indexed = try repository.git.run(
      [Bytes("ls-files"), Bytes("-s"), Bytes("-z"), Bytes("--"), repository.path(of: move.old)],
      variables: Repository.literalPaths
    ).split(separator: 0).map { Bytes($0) }
    switch (try isThere(move.old), try isThere(move.new)) {
    case (true, false):
      if try isNumberTaken(of: move) { return false }
      try steps.rename(move.old, move.new, isTracked: !indexed.isEmpty)
      return true
    case (false, true):
      if !indexed.isEmpty { try renameInIndex(move, indexed) }
      return true
    // Somebody has put something else in its place, or taken it away.
    case (true, true), (false, false): return false
    }
  }

  private func isThere(_ name: Bytes) throws(LedgerError) -> Bool {
    do throws(SystemError) {
      _ = try FileStatus.ofLink(root.path.appending(name))
      return true
    } catch {
      if error.errno == .notFound { return false }
      throw .system(error)
    }
  }

  private func isNumberTaken(of move: Renumbering.Move) throws(LedgerError) -> Bool {
    func number(_ name: some Sequence<UInt8>) -> Int? {
      let digits = name.prefix { (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) }
      return Int(String(decoding: Bytes(digits), as: UTF8.self))
    }
    let wanted = number(move.new)
    var isTaken = false
    do throws(SystemError) {
      try Descriptor(opening: root.path, .directory).forEachEntry { entry, _ in
        if number(entry) == wanted { isTaken = true }
      }
    } catch {
      throw .system(error)
    }
    return isTaken
  }

  /// What git mv would have done next: git-update-index(1). `entries` are those of the old name, each
  /// as MODE ID STAGE TAB PATH.
  private func renameInIndex(
    _ move: Renumbering.Move, _ entries: [Bytes]
  ) throws(LedgerError) {
    let tab = UInt8(ascii: "\t")
    var input = Bytes()
    for entry in entries {
      let words = entry.prefix { $0 != tab }
      let path = entry.dropFirst(words.count + 1)
      let id = words.split(separator: UInt8(ascii: " "))[1]
      let rest = path.dropFirst(repository.path(of: move.old).count)
      // Mode 0 takes a path out.
      let nothing = String(repeating: "0", count: id.count)
      input += Bytes("0 \(nothing)\t") + path + [0]
      input += words
      input += [tab] + repository.path(of: move.new) + rest + [0]
    }
    _ = try repository.git.run(
      [Bytes("update-index"), Bytes("-z"), Bytes("--index-info")], input: input)
  }
}
