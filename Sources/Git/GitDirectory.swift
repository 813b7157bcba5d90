import POSIX

/// The git directories of a work tree, found without running git: gitrepository-layout(5).
struct GitDirectory {
  /// The directory of this work tree: `.git`, or the directory that the file `.git` names.
  let own: Path
  /// The directory that all work trees share; the same as ``own`` for the main one.
  let common: Path

  /// Finds the git directories of the work tree at `workTree`.
  ///
  /// - Throws: ``GitError/repositoryMissing(workTree:at:)`` if `.git` leads to no repository, for
  ///   example because it is not mounted. ``GitError/unreadable(_:)`` if a directory cannot be
  ///   read.
  init(of workTree: Path) throws(GitError) {
    let git = workTree.appending(".git")
    let kind = try Self.look { () throws(SystemError) in try FileStatus.of(git).kind }
    if kind == .directory {
      own = git
    } else {
      own = try Self.directory(namedBy: git, in: workTree)
      let head = own.appending("HEAD")
      if try Self.look({ () throws(SystemError) in try FileStatus.ofLink(head) }) == nil {
        throw .repositoryMissing(workTree: workTree, at: own)
      }
    }
    let pointer: Bytes?
    do throws(SystemError) { pointer = try own.appending("commondir").line() } catch {
      throw .unreadable(SystemError(error.call, own, error.errno))
    }
    common = pointer.map { [own] in Path($0, below: own) } ?? own
    if pointer == nil { return }
    let objects = common.appending("objects")
    if try Self.look({ () throws(SystemError) in try FileStatus.ofLink(objects) }) == nil {
      throw .repositoryMissing(workTree: workTree, at: common)
    }
  }

  /// The directory that `.git` names, where `.git` is a file or a dangling link.
  private static func directory(
    namedBy git: Path, in workTree: Path
  ) throws(GitError) -> Path {
    let prefix = Bytes("gitdir: ")
    let text = try look { () throws(SystemError) in try git.line() }
    if text == nil, let target = git.linkTarget { return Path(target.bytes, below: workTree) }
    guard let text, text.starts(with: prefix), text.count > prefix.count else {
      throw .repositoryMissing(workTree: workTree, at: nil)
    }
    return Path(Bytes(text.dropFirst(prefix.count)), below: workTree)
  }

  /// The answer to `question`; nil if the file does not exist.
  private static func look<Answer>(
    _ question: () throws(SystemError) -> Answer?
  ) throws(GitError) -> Answer? {
    do throws(SystemError) { return try question() } catch {
      if error.isAbsence { return nil }
      throw .unreadable(error)
    }
  }

  /// Whether only git can tell where the work tree is. Submodules, for example, set core.worktree,
  /// and work trees can have their own configuration.
  var mayLeadElsewhere: Bool {
    // Git decides what to do about an unreadable file.
    guard let text = try? common.appending("config").line() else { return true }
    return text.split(separator: .newline).contains { line in
      // A key may follow its section header on the same line.
      let setting = line.first == UInt8(ascii: "[") ? line.drop { $0 != UInt8(ascii: "]") } : line
      let words = String(decoding: setting, as: UTF8.self).lowercased()
        .split { !$0.isASCII || !($0.isLetter || $0.isNumber) }
      return words.first == "worktree" || words.first == "worktreeconfig"
        || (words.first == "bare" && words.dropFirst().first != "false")
    }
  }

  /// Whether git accepts the repository without checking safe.directory, because the user owns it:
  /// git-config(1).
  func belongsToUser(_ workTree: Path) -> Bool {
    [workTree, workTree.appending(".git"), own].allSatisfy {
      (try? FileStatus.ofLink($0))?.owner == System.user
    }
  }
}

extension Path {
  /// Creates a path from a file of git, relative to `directory` unless it is absolute.
  init(_ text: Bytes, below directory: Path) {
    self = text.first == UInt8(ascii: "/") ? Path(text) : directory.appending(text)
  }

  /// The contents of the file without line breaks at the end; nil if it does not exist.
  func line() throws(SystemError) -> Bytes? {
    var text: Bytes
    do throws(SystemError) {
      let file = try Descriptor(opening: self, .read)
      let status = try file.status()
      if status.kind == .directory { throw SystemError(.read, self, .isDirectory) }
      text = try file.read(at: 0, upTo: Int(status.size))
    } catch {
      if error.isAbsence { return nil }
      throw error
    }
    while let last = text.last, last == .newline || last == UInt8(ascii: "\r") { text.removeLast() }
    return text
  }
}

extension SystemError {
  /// Whether the file does not exist.
  var isAbsence: Bool { errno == .notFound || errno == .notDirectory }
}
