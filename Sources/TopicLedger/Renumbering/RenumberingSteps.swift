import Git
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
    case move(from: Bytes, to: Bytes, byGit: Bool)
    case index([(old: Bytes, new: Bytes)])
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

  /// Gives the entry `old` the name `new`: renameat2(2), or git-mv(1), which does that in its index, too.
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
      // git renames first, and then can fail to write its index, which has the old name then.
      if byGit, isEntry(new) { undoes.append(.move(from: old, to: new, byGit: false)) }
      throw error
    }
    // Of a directory that somebody has made meanwhile, git makes the new parent.
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

  /// Gives entries that have been renamed without git their new names in its index, all at once.
  mutating func renameInIndex(_ moves: [Renumbering.Move]) throws(GitError) {
    guard let repository, !moves.isEmpty else { return }
    let names = moves.map { ($0.old, $0.new) }
    try repository.renameInIndex(names)
    undoes.append(.index(names))
  }

  /// Puts the new names into the text of `file`, or into its target when it is a link; returns whether
  /// it had an old one. Where the `mentions` in it are known, its other lines are not looked through again.
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

  /// `text` with the new lines of `mentions`; nil when it does not have the old ones there.
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

  /// Takes everything back, the newest first; returns what could not be. When git's index cannot be, the
  /// entries keep the names that it has.
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
