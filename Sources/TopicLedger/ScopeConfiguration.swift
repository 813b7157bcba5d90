// Whether a scope is configured, without git
//
// `git config topic-alloc.scope` would cost a process in every call, most of which have no scope. So
// the files that git reads are looked through for the word `topic-alloc` first, in any case of letters:
// the configuration of the repository and of the work tree, the user's, the system's, what variables
// give (git-config(1), FILES and ENVIRONMENT), and what any of these includes, whatever the condition.
// Only when the word is there, or a path cannot be understood, git is asked what it means. The one
// thing not looked through is a system-wide file in another place than /etc/gitconfig.

import POSIX
import TopicAllocation

/// The scope that the configuration of git sets for a root.
public enum ScopeConfiguration {
  /// The key in the configuration.
  public static let key = "topic-alloc.scope"

  /// What `topic-alloc.scope` says for the root at `root`; nil when nothing does, or when the root is in
  /// no work tree.
  public static func value(for root: Root, until deadline: Instant) throws(LedgerError) -> Bytes? {
    guard let top = Location.workTree(holding: root.path), mentionsScope(top) else { return nil }
    let answer = try Git(in: top, until: deadline).attempt(
      [Bytes("config"), Bytes("--get"), Bytes(key)])
    switch answer.code {
    case 0: return answer.line
    case 1: return nil
    default: throw .git(command: "git config", words: answer.words)
    }
  }

  private static let word = Bytes("topic-alloc")

  private static func mentionsScope(_ workTree: Path) -> Bool {
    for name in ["GIT_CONFIG_COUNT", "GIT_CONFIG_PARAMETERS"]
    where Environment.variable(name) != nil {
      if Environment.variables.contains(where: { contains($0, word) }) { return true }
    }
    var seen: [Path] = []
    return files(of: workTree).contains { mentionsScope(file: $0, &seen) }
  }

  private static func files(of workTree: Path) -> [Path] {
    var files: [Path] = []
    let git = GitDirectory(of: workTree)
    files += [git.common.appending("config"), git.own.appending("config.worktree")]
    let home = Environment.variable("HOME").map { Path($0) }
    if let file = Environment.variable("GIT_CONFIG_GLOBAL") {
      files.append(Path(file))
    } else if let home {
      let base = Environment.variable("XDG_CONFIG_HOME").map { Path($0) }
      files.append(home.appending(".gitconfig"))
      files.append((base ?? home.appending(".config")).appending("git/config"))
    }
    if Environment.variable("GIT_CONFIG_NOSYSTEM") == nil {
      files.append(Path(Environment.variable("GIT_CONFIG_SYSTEM") ?? Bytes("/etc/gitconfig")))
    }
    return files
  }

  /// Each file is looked at once: that files include one another is not for us to judge.
  private static func mentionsScope(file: Path, _ seen: inout [Path]) -> Bool {
    if seen.contains(file) { return false }
    seen.append(file)
    guard let text = file.line else { return false }
    if contains(text, word) { return true }
    guard contains(text, Bytes("include")) else { return false }
    for line in text.split(separator: .newline) {
      guard let included = includedPath(Bytes(line)) else { continue }
      if included.contains(UInt8(ascii: "\\")) || included.contains(UInt8(ascii: "%")) {
        return true
      }
      var path = Path(included, below: file.parent)
      if included.starts(with: Bytes("~/")) {
        guard let home = Environment.variable("HOME") else { return true }
        path = Path(home).appending(Bytes(included.dropFirst(2)))
      } else if included.first == UInt8(ascii: "~") {
        return true
      }
      if mentionsScope(file: path, &seen) { return true }
    }
    return false
  }

  /// The value of a line `path = VALUE`, which may stand behind the name of its section.
  private static func includedPath(_ line: Bytes) -> Bytes? {
    let isBlank = { (byte: UInt8) in byte == UInt8(ascii: " ") || byte == UInt8(ascii: "\t") }
    var rest = line.drop(while: isBlank)
    if rest.first == UInt8(ascii: "["), let end = rest.lastIndex(of: UInt8(ascii: "]")) {
      rest = rest[(end + 1)...].drop(while: isBlank)
    }
    guard rest.prefix(4).map({ $0 | 0x20 }) == Bytes("path") else { return nil }
    rest = rest.dropFirst(4).drop(while: isBlank)
    guard rest.first == UInt8(ascii: "=") else { return nil }
    rest = rest.dropFirst().drop(while: isBlank)
    while let last = rest.last, isBlank(last) || last == UInt8(ascii: "\r") { rest.removeLast() }
    if rest.first == UInt8(ascii: "\""), rest.last == UInt8(ascii: "\""), rest.count > 1 {
      rest = rest.dropFirst().dropLast()
    }
    return Bytes(rest)
  }

  /// Whether `text` holds `word`, which is in lower case, in whatever case.
  private static func contains(_ text: Bytes, _ word: Bytes) -> Bool {
    guard text.count >= word.count else { return false }
    return (0...(text.count - word.count)).contains { start in
      for index in word.indices {
        var byte = text[start + index]
        if byte &- UInt8(ascii: "A") < 26 { byte |= 0x20 }
        if byte != word[index] { return false }
      }
      return true
    }
  }
}
