import Git
import POSIX

/// Where a text file that git tracks has the name of an entry that moves, as a word of its own.
public struct Mention: Hashable, Sendable {
  /// The file, relative to the top of the work tree.
  public let file: Bytes
  /// The line, from 1 on.
  public let line: Int
  /// The line as it is.
  public let old: Bytes
  /// The line as it will be.
  public let new: Bytes
}

/// Where names of entries are in the files that git tracks. Those files are looked for once, and read again
/// only when they have changed.
struct MentionSearch {
  /// The names that were looked for.
  private var names: Set<Bytes> = []
  /// The files that hold one of them, in order.
  private var files: [Bytes] = []
  /// The links that git tracks; nil when nobody has asked.
  private var links: [Bytes]?
  /// What was found in a file, as it was then.
  private var found: [Bytes: (status: FileStatus, mentions: [Mention])] = [:]
  /// How that was found.
  private var rewriting: Rewriting?

  /// Says where submodules are, under names that never change: gitmodules(5). git-mv(1) keeps it up to
  /// date, and moves no submodule when somebody else has changed it.
  private static let submodules = Bytes(".gitmodules")

  /// All mentions in the work tree, in the order of files and lines.
  mutating func mentions(
    of moves: [Renumbering.Move], in repository: Repository
  ) throws(GitError) -> [Mention] {
    let old = Set(moves.map(\.old))
    if !old.isSubset(of: names) {
      files = try repository.files(mentioning: Array(old))
      names = old
    }
    let rewriting = try Rewriting(moves, in: repository)
    if rewriting != self.rewriting { found = [:] }
    self.rewriting = rewriting
    var mentions: [Mention] = []
    for file in files where file != Self.submodules {
      let path = repository.workTree.appending(file)
      // A link is tracked as the path that it holds, and what it leads to is another file; so is what
      // is found through a link that has taken the place of a directory.
      guard let status = try? FileStatus.ofLink(path), status.kind == .file,
        repository.encloses(path.parent)
      else { continue }
      if found[file]?.status.isUnchanged(from: status) != true {
        found[file] = (status, try Mention.all(in: file, at: path, rewriting))
      }
      mentions += found[file]?.mentions ?? []
    }
    return mentions
  }

  /// All tracked links in the work tree that lead elsewhere when `moves` are done.
  mutating func links(
    of moves: [Renumbering.Move], in repository: Repository
  ) throws(GitError) -> [Retargeting] {
    let files: [Bytes]
    if let links { files = links } else { files = try repository.trackedLinks() }
    links = files
    return Retargeting.all(of: moves, among: files, in: repository)
  }
}

extension Mention {
  /// The mentions in the text file `file`, which is at `path`.
  fileprivate static func all(
    in file: Bytes, at path: Path, _ rewriting: Rewriting
  ) throws(GitError) -> [Mention] {
    let text: Bytes
    do throws(SystemError) {
      text = try Descriptor(opening: path, .readNoLink).readToEnd()
    } catch {
      throw .system(error)
    }
    let old = text.split(separator: .newline, omittingEmptySubsequences: false)
    return zip(old, rewriting.lines(of: text, in: path)).enumerated().compactMap { index, lines in
      let (old, new) = lines
      return old == new[...]
        ? nil : Mention(file: file, line: index + 1, old: Bytes(old), new: new)
    }
  }
}

extension Repository {
  /// The text files that git tracks and that hold one of these names: git-grep(1).
  fileprivate func files(mentioning names: [Bytes]) throws(GitError) -> [Bytes] {
    // A pattern is a line, and so is what it is looked for in.
    let patterns = names.filter { !$0.contains(.newline) }
    if patterns.isEmpty { return [] }
    let answer = try git.attempt(
      ["grep", "-I", "-l", "-z", "-F", "--full-name", "--no-recurse-submodules", "-f", "-"]
        .map { Bytes($0) }, input: patterns.flatMap { $0 + [.newline] })
    // 1 is none.
    guard answer.code <= 1 else { throw .failed(command: "git grep", words: answer.words) }
    return answer.output.split(separator: 0).map { Bytes($0) }
  }
}

extension FileStatus {
  /// Whether nothing has changed since `earlier`, as far as the clock of the file system shows.
  fileprivate func isUnchanged(from earlier: FileStatus) -> Bool {
    isSameFile(as: earlier) && size == earlier.size && changed == earlier.changed
  }
}
