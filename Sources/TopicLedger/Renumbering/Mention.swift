import Git
import POSIX

/// A line of a tracked text file that contains the name of a moving entry as a whole word.
public struct Mention: Hashable, Sendable {
  /// The file, relative to the top of the work tree.
  public let file: Bytes
  /// The line number, starting at 1.
  public let line: Int
  /// The current line.
  public let old: Bytes
  /// The line after the renumbering.
  public let new: Bytes
}

/// Searches tracked files for names of entries. The files are listed once, and read again only if
/// they have changed.
struct MentionSearch {
  /// The names that the search covers.
  private var names: Set<Bytes> = []
  /// The files that contain one of them, in order.
  private var files: [Bytes] = []
  /// The tracked links; nil before they are listed.
  private var links: [Bytes]?
  /// The mentions in each file, and its status when it was read.
  private var found: [Bytes: (status: FileStatus, mentions: [Mention])] = [:]
  /// The rewriting that found them.
  private var rewriting: Rewriting?

  /// Maps submodules to paths: gitmodules(5). git-mv(1) updates it, and refuses to move a submodule
  /// if another program has changed the file.
  private static let submodules = Bytes(".gitmodules")

  /// Returns all mentions in the work tree, in the order of files and lines.
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
      // git tracks the target of a link, not the file that it leads to. A file reached through a
      // link in place of a directory is another file too.
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

  /// Returns the tracked links whose targets `moves` change.
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
  /// Returns the mentions in the text file `file`, which is at `path`.
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
  /// Lists the tracked text files that contain one of these names: git-grep(1).
  fileprivate func files(mentioning names: [Bytes]) throws(GitError) -> [Bytes] {
    // git-grep(1) reads one pattern per line and matches within lines.
    let patterns = names.filter { !$0.contains(.newline) }
    if patterns.isEmpty { return [] }
    let answer = try git.attempt(
      ["grep", "-I", "-l", "-z", "-F", "--full-name", "--no-recurse-submodules", "-f", "-"]
        .map { Bytes($0) }, input: patterns.flatMap { $0 + [.newline] })
    // 1 means that no file matches.
    guard answer.code <= 1 else { throw .failed(command: "git grep", words: answer.words) }
    return answer.output.split(separator: 0).map { Bytes($0) }
  }
}

extension FileStatus {
  /// Whether the file is unchanged since `earlier`, as far as the timestamps show.
  fileprivate func isUnchanged(from earlier: FileStatus) -> Bool {
    isSameFile(as: earlier) && size == earlier.size && changed == earlier.changed
  }
}
