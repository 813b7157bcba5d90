import POSIX
import TopicAllocation

/// Renumbers, all or nothing: what cannot be finished is taken back. For a root that is locked, and with
/// termination signals held.
public struct RenumberingWork {
  private let renumbering: Renumbering
  private let root: Path
  private var repository: Repository?
  private var undoes: [Undo] = []

  private enum Undo {
    case move(from: Bytes, to: Bytes, isTracked: Bool)
    case rewriting(file: Path, Bytes)
  }

  /// Why nothing is changed; or what is, when it could not be taken back.
  public struct Failure: Error {
    /// What went wrong.
    public let reason: LedgerError
    /// What could not be taken back: paths.
    public let left: [Path]
  }

  /// The work that `renumbering` wants done in `root`.
  public init(_ renumbering: Renumbering, in root: Root, _ repository: Repository?) {
    self.renumbering = renumbering
    self.root = root.path
    self.repository = repository
    self.repository?.git.outlastsTermination = true
  }

  /// Rewrites the mentions, then moves the entries.
  public consuming func perform() throws(Failure) {
    do throws(LedgerError) {
      for move in renumbering.moves where (try? FileStatus.ofLink(root.appending(move.new))) != nil
      {
        throw .system(SystemError(.renameat2, root.appending(move.new), .exists))
      }
      if let repository, !renumbering.mentions.isEmpty {
        let rewriting = try Rewriting(renumbering.moves, in: repository)
        for file in Set(renumbering.mentions.map(\.file)).sorted(by: {
          $0.lexicographicallyPrecedes($1)
        }) {
          try rewrite(repository.workTree.appending(file), rewriting)
          try checkIsWanted()
        }
      }
      for move in renumbering.moves {
        try rename(move.old, move.new, isTracked: move.isTracked)
        try checkIsWanted()
      }
    } catch {
      throw Failure(reason: error, left: undo())
    }
  }

  private func checkIsWanted() throws(LedgerError) {
    if TerminationSignals.isWaiting { throw .interrupted }
  }

  private mutating func rename(_ old: Bytes, _ new: Bytes, isTracked: Bool) throws(LedgerError) {
    let entry = try? FileStatus.ofLink(root.appending(old))
    try move(old, new, isTracked: isTracked)
    // Of a directory that somebody has made meanwhile, git makes the new parent.
    let inside = new + [UInt8(ascii: "/")] + old
    if isTracked, let moved = try? FileStatus.ofLink(root.appending(inside)), let entry,
      moved.isSameFile(as: entry)
    {
      undoes.append(.move(from: old, to: inside, isTracked: true))
      throw .system(SystemError(.renameat2, root.appending(new), .exists))
    }
    undoes.append(.move(from: old, to: new, isTracked: isTracked))
  }

  private func move(_ old: Bytes, _ new: Bytes, isTracked: Bool) throws(LedgerError) {
    if isTracked, let repository {
      _ = try repository.git.run(
        [Bytes("mv"), Bytes("--"), repository.path(of: old), repository.path(of: new)],
        variables: Repository.literalPaths)
    } else {
      do throws(SystemError) {
        try Descriptor(opening: root, .directory).renameExclusively(old, to: new)
      } catch {
        throw .system(error)
      }
    }
  }

  private mutating func rewrite(_ file: Path, _ rewriting: Rewriting) throws(LedgerError) {
    do throws(SystemError) {
      let old = try Descriptor(opening: file, .readNoLink).readToEnd()
      let new = Bytes(rewriting.lines(of: old, in: file).joined(separator: [UInt8.newline]))
      try replace(file, with: new)
      undoes.append(.rewriting(file: file, old))
    } catch {
      throw .system(error)
    }
  }

  /// Puts a new file with the permissions of the old one in its place.
  private func replace(_ file: Path, with text: Bytes) throws(SystemError) {
    let permissions = try FileStatus.ofLink(file).permissions
    let directory = try Descriptor(opening: file.parent, .directory)
    let temporary = Bytes(".topic-renumber.\(System.process)")
    do throws(SystemError) {
      let made = try Descriptor(
        opening: temporary, in: directory, .creatingNew(permissions: permissions))
      try made.write(text)
      try directory.rename(temporary, to: file.lastComponent)
    } catch {
      if error.errno != .exists { try? directory.removeFile(temporary) }
      throw error
    }
  }

  /// Takes everything back, the newest first; returns what could not be.
  private func undo() -> [Path] {
    undoes.reversed().compactMap { undo in
      switch undo {
      case .move(let old, let new, let isTracked):
        return (try? move(new, old, isTracked: isTracked)) != nil ? nil : root.appending(new)
      case .rewriting(let file, let text):
        return (try? replace(file, with: text)) != nil ? nil : file
      }
    }
  }
}
