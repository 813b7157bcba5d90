import POSIX

/// Where the repository of a work tree is, found without git: gitrepository-layout(5).
struct GitDirectory {
  /// What belongs to the work tree alone: `.git`, or the directory that the file `.git` names.
  let own: Path
  /// What all work trees of the repository share; the same as ``own`` for the main one.
  let common: Path

  /// The repository of the work tree at `workTree`.
  ///
  /// - Throws: ``GitError/repositoryMissing(workTree:at:)`` when `.git` leads nowhere, as when the
  ///   repository is not mounted; ``GitError/unreadable(_:)`` when it cannot be looked into.
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

  /// What `.git` names, which is a file, or a link that leads nowhere.
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

  /// What `question` finds; nil when nothing is there.
  private static func look<Answer>(
    _ question: () throws(SystemError) -> Answer?
  ) throws(GitError) -> Answer? {
    do throws(SystemError) { return try question() } catch {
      if error.isAbsence { return nil }
      throw .unreadable(error)
    }
  }

  /// Whether nothing but git can tell where its work tree is: core.worktree can be set, as it is for
  /// submodules, and work trees can have a configuration of their own.
  var mayLeadElsewhere: Bool {
    // What cannot be read is for git to judge.
    guard let text = try? common.appending("config").line() else { return true }
    return text.split(separator: .newline).contains { line in
      // A key can follow the header of its section on one line.
      let setting = line.first == UInt8(ascii: "[") ? line.drop { $0 != UInt8(ascii: "]") } : line
      let words = String(decoding: setting, as: UTF8.self).lowercased()
        .split { !$0.isASCII || !($0.isLetter || $0.isNumber) }
      return words.first == "worktree" || words.first == "worktreeconfig"
        || (words.first == "bare" && words.dropFirst().first != "false")
    }
  }

  /// Whether git accepts the repository without looking for safe.directory, as the work tree and what
  /// belongs to it are this user's: git-config(1).
  func belongsToUser(_ workTree: Path) -> Bool {
    [workTree, workTree.appending(".git"), own].allSatisfy {
      (try? FileStatus.ofLink($0))?.owner == System.user
    }
  }
}

extension Path {
  /// A path in a file of git, which is relative to `directory`.
  init(_ text: Bytes, below directory: Path) {
    self = text.first == UInt8(ascii: "/") ? Path(text) : directory.appending(text)
  }

  /// What the file says, without line breaks at the end; nil when it does not exist.
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
  /// Whether nothing is there.
  var isAbsence: Bool { errno == .notFound || errno == .notDirectory }
}
