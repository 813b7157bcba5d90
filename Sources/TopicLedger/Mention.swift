import POSIX
import TopicAllocation

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

  /// Says where submodules are, under names that never change: gitmodules(5). git-mv(1) keeps it up to
  /// date, and moves no submodule when somebody else has changed it.
  private static let submodules = Bytes(".gitmodules")

  /// All mentions in the work tree, in the order of files and lines: git-grep(1).
  static func all(
    of moves: [Renumbering.Move], in repository: Repository
  ) throws(LedgerError) -> [Mention] {
    if moves.isEmpty { return [] }
    let patterns = moves.flatMap { [Bytes("-e"), $0.old] }
    let answer = try repository.git.attempt(
      ["grep", "-I", "-l", "-z", "-F", "--full-name", "--no-recurse-submodules"].map { Bytes($0) }
        + patterns)
    // 1 is none.
    guard answer.code <= 1 else { throw .git(command: "git grep", words: answer.words) }
    let rewriting = try Rewriting(moves, in: repository)
    var mentions: [Mention] = []
    for file in answer.output.split(separator: 0).map({ Bytes($0) }) where file != submodules {
      let path = repository.workTree.appending(file)
      // A link is tracked as the path that it holds, and what it leads to is another file; so is what
      // is found through a link that has taken the place of a directory.
      guard (try? FileStatus.ofLink(path))?.kind == .file, repository.encloses(path.parent)
      else { continue }
      let text: Bytes
      do throws(SystemError) {
        text = try Descriptor(opening: path, .readNoLink).readToEnd()
      } catch {
        throw .system(error)
      }
      let old = text.split(separator: .newline, omittingEmptySubsequences: false)
      for (index, (old, new)) in zip(old, rewriting.lines(of: text, in: path)).enumerated()
      where old != new[...] {
        mentions.append(Mention(file: file, line: index + 1, old: Bytes(old), new: new))
      }
    }
    return mentions
  }
}
