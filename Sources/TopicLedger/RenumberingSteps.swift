import POSIX
import TopicAllocation

/// The steps of a renumbering, each of which is done wholly or not at all, and can be taken back.
struct RenumberingSteps {
  private let root: Path
  private let repository: Repository?
  /// The name of a file until it takes the place of another one, in the directory of that.
  private let temporary: Bytes
  private var undoes: [Undo] = []

  private enum Undo {
    case move(from: Bytes, to: Bytes, isTracked: Bool)
    case rewriting(file: Path, Bytes)
    case retargeting(link: Path, Bytes)
  }

  /// Steps in `root`, of which none is taken yet.
  init(in root: Root, _ repository: Repository?, temporary: Bytes) {
    self.root = root.path
    var repository = repository
    repository?.git.outlastsTermination = true
    self.repository = repository
    self.temporary = temporary
  }

  /// Gives the entry `old` the name `new`.
  mutating func rename(_ old: Bytes, _ new: Bytes, isTracked: Bool) throws(LedgerError) {
    let entry = try? FileStatus.ofLink(root.appending(old))
    func isEntry(_ name: Bytes) -> Bool {
      guard let entry, let there = try? FileStatus.ofLink(root.appending(name)) else {
        return false
      }
      return there.isSameFile(as: entry)
    }
    do throws(LedgerError) {
      try move(old, new, isTracked: isTracked)
    } catch {
      // git renames first, and then can fail to write its index, which has the old name then.
      if isTracked, isEntry(new) { undoes.append(.move(from: old, to: new, isTracked: false)) }
      throw error
    }
    // Of a directory that somebody has made meanwhile, git makes the new parent.
    let inside = new + [UInt8(ascii: "/")] + old
    if isTracked, isEntry(inside) {
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

  /// Puts the new names into the text of `file`, or into its target when it is a link; returns whether
  /// it had an old one.
  mutating func update(
    _ file: Path, _ rewriting: Rewriting, _ targets: LinkTargets
  ) throws(LedgerError) -> Bool {
    do throws(SystemError) {
      if let old = file.linkTarget?.bytes {
        let new = targets.target(old, of: file)
        if new == old { return false }
        try retarget(file, to: new)
        undoes.append(.retargeting(link: file, old))
        return true
      }
      let old = try Descriptor(opening: file, .readNoLink).readToEnd()
      let new = Bytes(rewriting.lines(of: old, in: file).joined(separator: [UInt8.newline]))
      if new == old { return false }
      try replace(file, with: new)
      undoes.append(.rewriting(file: file, old))
      return true
    } catch {
      throw .system(error)
    }
  }

  private func replace(_ file: Path, with text: Bytes) throws(SystemError) {
    try AtomicFile.replace(
      file.lastComponent, in: Descriptor(opening: file.parent, .directory), with: text,
      by: temporary, isDurable: false)
  }

  /// Puts a new link in the place of the old one.
  private func retarget(_ link: Path, to target: Bytes) throws(SystemError) {
    let directory = try Descriptor(opening: link.parent, .directory)
    do throws(SystemError) {
      try directory.makeLink(temporary, to: Path(target))
      try directory.rename(temporary, to: link.lastComponent)
    } catch {
      if error.errno != .exists { try? directory.removeFile(temporary) }
      throw error
    }
  }

  /// Takes everything back, the newest first; returns what could not be.
  mutating func undo() -> [Path] {
    defer { undoes = [] }
    return undoes.reversed().compactMap { undo in
      switch undo {
      case .move(let old, let new, let isTracked):
        return (try? move(new, old, isTracked: isTracked)) != nil ? nil : root.appending(new)
      case .rewriting(let file, let text):
        return (try? replace(file, with: text)) != nil ? nil : file
      case .retargeting(let link, let target):
        return (try? retarget(link, to: target)) != nil ? nil : link
      }
    }
  }
}

extension Repository {
  /// Where `file`, a path from the top of the work tree, is when `moves` are done.
  func path(of file: Bytes, after moves: [Renumbering.Move]) -> Path {
    let slash = UInt8(ascii: "/")
    for move in moves {
      let old = path(of: move.old)
      let rest = file.dropFirst(old.count)
      if file.starts(with: old), rest.first ?? slash == slash {
        return workTree.appending(path(of: move.new) + rest)
      }
    }
    return workTree.appending(file)
  }
}
