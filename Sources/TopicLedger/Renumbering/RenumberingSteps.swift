import Git
import POSIX
import TopicAllocation

/// The steps of a renumbering. Each one is atomic and can be undone.
struct RenumberingSteps {
  private let root: Path
  private let repository: Repository?
  /// The temporary name of replacement files, in the directory of the file.
  private let temporary: Bytes
  private var undoes: [Undo] = []

  private enum Undo {
    case move(from: Bytes, to: Bytes, byGit: Bool)
    case index([(old: Bytes, new: Bytes)])
    case rewriting(file: Path, Bytes)
    case retargeting(link: Path, Bytes)
  }

  /// Creates an empty sequence of steps in `root`.
  init(in root: Root, _ repository: Repository?, temporary: Bytes) {
    self.root = root.path
    var repository = repository
    repository?.git.outlastsTermination = true
    self.repository = repository
    self.temporary = temporary
  }

  /// Renames the entry `old` to `new`: renameat2(2), or git-mv(1), which also renames it in the
  /// index.
  mutating func rename(_ old: Bytes, _ new: Bytes, byGit: Bool) throws(GitError) {
    let entry = try? FileStatus.ofLink(root.appending(old))
    func isEntry(_ name: Bytes) -> Bool {
      guard let entry, let there = try? FileStatus.ofLink(root.appending(name)) else {
        return false
      }
      return there.isSameFile(as: entry)
    }
    do throws(GitError) {
      try move(old, new, byGit: byGit)
    } catch {
      // git renames first. If it then fails to write its index, the index keeps the old name.
      if byGit, isEntry(new) { undoes.append(.move(from: old, to: new, byGit: false)) }
      throw error
    }
    // If the directory `new` was created meanwhile, git moves the entry into it.
    let inside = new + [UInt8(ascii: "/")] + old
    if byGit, isEntry(inside) {
      undoes.append(.move(from: old, to: inside, byGit: true))
      throw .system(SystemError(.renameat2, root.appending(new), .exists))
    }
    undoes.append(.move(from: old, to: new, byGit: byGit))
  }

  private func move(_ old: Bytes, _ new: Bytes, byGit: Bool) throws(GitError) {
    if byGit, let repository {
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

  /// Gives entries that were renamed without git their new names in the index, all at once.
  mutating func renameInIndex(_ moves: [Renumbering.Move]) throws(GitError) {
    guard let repository, !moves.isEmpty else { return }
    let names = moves.map { ($0.old, $0.new) }
    try repository.renameInIndex(names)
    undoes.append(.index(names))
  }

  /// Updates the names in `file`, or in its target if it is a link. Returns whether it contained an
  /// old one.
  ///
  /// If `mentions` are known, only their lines are rewritten.
  mutating func update(
    _ file: Path, _ rewriting: Rewriting, _ targets: LinkTargets, mentions: [Mention] = []
  ) throws(GitError) -> Bool {
    do throws(SystemError) {
      if let old = file.linkTarget?.bytes {
        let new = targets.target(old, of: file)
        if new == old { return false }
        try retarget(file, to: new)
        undoes.append(.retargeting(link: file, old))
        return true
      }
      let old = try Descriptor(opening: file, .readNoLink).readToEnd()
      let new =
        Self.text(old, with: mentions)
        ?? Bytes(rewriting.lines(of: old, in: file).joined(separator: [UInt8.newline]))
      if new == old { return false }
      try replace(file, with: new)
      undoes.append(.rewriting(file: file, old))
      return true
    } catch {
      throw .system(error)
    }
  }

  /// `text` with the new lines of `mentions`; nil if it does not have their old lines.
  private static func text(_ text: Bytes, with mentions: [Mention]) -> Bytes? {
    if mentions.isEmpty { return nil }
    let lines = text.split(separator: .newline, omittingEmptySubsequences: false)
    var new = Bytes()
    new.reserveCapacity(text.count)
    var begin = 0
    for mention in mentions {
      guard mention.line <= lines.count, lines[mention.line - 1] == mention.old[...] else {
        return nil
      }
      let line = lines[mention.line - 1]
      new += text[begin..<line.startIndex] + mention.new
      begin = line.endIndex
    }
    return new + text[begin...]
  }

  private func replace(_ file: Path, with text: Bytes) throws(SystemError) {
    try AtomicFile.replace(
      file.lastComponent, in: Descriptor(opening: file.parent, .directory), with: text,
      by: temporary, isDurable: false)
  }

  /// Replaces the link with one to `target`.
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

  /// Undoes all steps, the newest first, and returns the paths that could not be restored. If the
  /// index cannot be restored, the entries keep the names that it has.
  mutating func undo() -> [Path] {
    var left: [Path] = []
    while let undo = undoes.popLast() {
      switch undo {
      case .move(let old, let new, let byGit):
        if (try? move(new, old, byGit: byGit)) == nil { left.append(root.appending(new)) }
      case .index(let names):
        if (try? repository?.renameInIndex(names.map { ($0.new, $0.old) })) == nil {
          left += undoes.compactMap { undo in
            if case .move(_, let new, _) = undo { root.appending(new) } else { nil }
          }
          undoes = []
        }
      case .rewriting(let file, let text):
        if (try? replace(file, with: text)) == nil { left.append(file) }
      case .retargeting(let link, let target):
        if (try? retarget(link, to: target)) == nil { left.append(link) }
      }
    }
    return left
  }
}

extension Repository {
  /// The path of `file`, given relative to the top of the work tree, after `moves`.
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
