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
    var mentions: [Mention] = []
    for file in answer.output.split(separator: 0).map({ Bytes($0) }) {
      let path = repository.workTree.appending(file)
      // A link is tracked as the path that it holds, and what it leads to is another file.
      guard (try? FileStatus.ofLink(path))?.kind == .file else { continue }
      let text: Bytes
      do throws(SystemError) {
        text = try Descriptor(opening: path, .readNoLink).readToEnd()
      } catch {
        throw .system(error)
      }
      let lines = text.split(separator: .newline, omittingEmptySubsequences: false)
      for (index, line) in lines.enumerated() {
        let old = Bytes(line)
        let new = rewritten(old, moves)
        if new != old { mentions.append(Mention(file: file, line: index + 1, old: old, new: new)) }
      }
    }
    return mentions
  }

  /// `text` with the new names in place of the old ones, each as a word of its own: `042_a` is no part
  /// of `042_a_long`, `1042_a` or `042_a.md`.
  static func rewritten(_ text: Bytes, _ moves: [Renumbering.Move]) -> Bytes {
    var result = Bytes()
    var index = 0
    while index < text.count {
      let rest = text[index...]
      let isBegin = index == 0 || !isNamePart(text[index - 1])
      if isBegin,
        let move = moves.first(where: {
          rest.starts(with: $0.old) && endsWord(rest.dropFirst($0.old.count))
        })
      {
        result += move.new
        index += move.old.count
      } else {
        result.append(text[index])
        index += 1
      }
    }
    return result
  }

  private static func isNamePart(_ byte: UInt8) -> Bool {
    switch byte {
    case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
      UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "_"), UInt8(ascii: "-"), 0x80...:
      true
    default: false
    }
  }

  /// Whether a name can end before `rest`. A full stop belongs to it when more of a name follows.
  private static func endsWord(_ rest: ArraySlice<UInt8>) -> Bool {
    guard let next = rest.first else { return true }
    if next == UInt8(ascii: "."), let after = rest.dropFirst().first { return !isNamePart(after) }
    return !isNamePart(next)
  }
}
