import POSIX

/// Where the repository of a work tree is, found without git: gitrepository-layout(5).
struct GitDirectory {
  /// What belongs to the work tree alone: `.git`, or the directory that the file `.git` names.
  let own: Path
  /// What all work trees of the repository share; the same as ``own`` for the main one.
  let common: Path

  /// The repository of the work tree at `workTree`.
  init(of workTree: Path) {
    let git = workTree.appending(".git")
    let prefix = Bytes("gitdir: ")
    if let text = git.line, text.starts(with: prefix) {
      own = Path(Bytes(text.dropFirst(prefix.count)), below: workTree)
    } else {
      own = git
    }
    common = own.appending("commondir").line.map { [own] in Path($0, below: own) } ?? own
  }

  /// Whether nothing but git can tell where its work tree is: core.worktree can be set, as it is for
  /// submodules, and work trees can have a configuration of their own.
  var mayLeadElsewhere: Bool {
    guard let text = common.appending("config").line else { return true }
    return text.split(separator: .newline).contains { line in
      let words = String(decoding: line, as: UTF8.self).lowercased()
      return words.contains("worktree") || (words.contains("bare") && !words.contains("false"))
    }
  }
}

extension Path {
  /// A path in a file of git, which is relative to `directory`.
  init(_ text: Bytes, below directory: Path) {
    self = text.first == UInt8(ascii: "/") ? Path(text) : directory.appending(text)
  }

  /// What the file says, without line breaks at the end; nil when it cannot be read.
  var line: Bytes? {
    guard var text = try? Descriptor(opening: self, .read).contents() else { return nil }
    while let last = text.last, last == .newline || last == UInt8(ascii: "\r") { text.removeLast() }
    return text
  }
}
