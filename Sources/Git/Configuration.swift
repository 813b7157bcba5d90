// A key of git's configuration, without git
//
// `git config topic-alloc.scope` would cost a process in every call, though most roots have no
// scope. So this code first searches the files that git reads for the section, here `topic-alloc`,
// ignoring case:
//
// - the configuration of the repository and of the work tree,
// - the user's and the system's,
// - the variables of git-config(1), ENVIRONMENT,
// - files that any of these includes, whatever the condition.
//
// Git is asked for the value only if the section occurs, or if a path cannot be understood. Even
// then a plain line in the file of a repository that this user owns needs no git. One place is not
// searched: a system-wide file other than /etc/gitconfig.
//
// A file that exists but cannot be read is an error, because it may set the key. So is a `.git`
// that leads nowhere. There are two exceptions. Files below a user's directory that may not be
// entered, as when HOME belongs to another user, do not count: git ignores them as well. An
// included file that cannot be read is left to git, which knows whether its condition holds, and
// fails in that case.
//
// Git silently ignores the files of a repository that it refuses (safe.directory). If such a file
// mentions the section and git's answer comes from elsewhere, git is asked whether it accepts the
// repository. A refused repository that never mentions the section does not set the key.

import POSIX

/// A key of git's configuration, such as `topic-alloc.scope`.
public struct Configuration: Sendable {
  /// The key, `SECTION.NAME`.
  public let key: String
  /// The section.
  private let word: Bytes
  private let name: Bytes

  /// Creates the key `SECTION.NAME`; both parts must be in lower case.
  public init(section: String, name: String) {
    key = section + "." + name
    word = Bytes(section)
    self.name = Bytes(name)
  }

  /// Looks up the value that applies in a work tree; nil if the key is not set.
  ///
  /// - Parameters:
  ///   - workTree: The work tree; nil if there is none.
  ///   - broken: Directories above the place in question whose `.git` is not a repository.
  ///   - deadline: When git must be done.
  public func value(
    in workTree: Path?, passedOver broken: [Path], until deadline: Instant
  ) throws(GitError) -> Bytes? {
    for workTree in broken {
      let file = File(path: workTree.appending(".git/config"))
      if try isMentioned(in: [file]) {
        throw .repositoryRefused(workTree, words: "fatal: not a git repository: it has no HEAD")
      }
    }
    guard let top = workTree else { return nil }
    let repository = try GitDirectory(of: top)
    let isInRepository = try isMentioned(in: files(of: repository))
    if !isInRepository, try !isMentionedElsewhere() { return nil }
    if isInRepository, repository.belongsToUser(top), let plain = plainValue(in: repository) {
      return plain
    }
    let git = GitCommand(in: top, until: deadline)
    let answer = try git.attempt(["config", "--show-scope", "--get", key].map { Bytes($0) })
    guard answer.code <= 1 else { throw .failed(command: "git config", words: answer.words) }
    // SCOPE TAB VALUE
    let tab = UInt8(ascii: "\t")
    let origin = answer.line.prefix { $0 != tab }
    if isInRepository, ![Bytes("local"), Bytes("worktree")].contains(Bytes(origin)) {
      let accepted = try git.attempt([Bytes("rev-parse"), Bytes("--git-dir")])
      if accepted.code != 0 { throw .repositoryRefused(top, words: accepted.words) }
      _ = try isMentionedElsewhere()
    }
    return answer.code == 0 ? Bytes(answer.line.dropFirst(origin.count + 1)) : nil
  }

  /// A configuration file.
  private struct File {
    let path: Path
    /// The user's directory that holds it. If it may not be entered, git ignores the file.
    var directory: Path?
  }

  private func files(of repository: GitDirectory) -> [File] {
    [repository.common.appending("config"), repository.own.appending("config.worktree")]
      .map { File(path: $0) }
  }

  private func isMentionedElsewhere() throws(GitError) -> Bool {
    if variablesMentionSection { return true }
    return try isMentioned(in: filesElsewhere)
  }

  private var variablesMentionSection: Bool {
    ["GIT_CONFIG_COUNT", "GIT_CONFIG_PARAMETERS"].contains { Environment.variable($0) != nil }
      && Environment.variables.contains { variable in
        contains(variable, word)
          || variable.starts(with: Bytes("GIT_CONFIG_")) && contains(variable, Bytes("include"))
      }
  }

  /// The value from a single plain line in the file of the repository, as `git config` writes it.
  /// Returns nil if a variable, a work tree file or an included file could override it.
  private func plainValue(in repository: GitDirectory) -> Bytes? {
    guard !variablesMentionSection,
      (try? repository.own.appending("config.worktree").line()) == .some(nil),
      let text = try? repository.common.appending("config").line(),
      !contains(text, Bytes("include"))
    else { return nil }
    let lines = text.split(separator: .newline).map(Bytes.init)
    guard let header = lines.firstIndex(of: Bytes("[") + word + Bytes("]")),
      lines.count(where: { contains($0, word) }) == 1
    else { return nil }
    let settings = lines[(header + 1)...].prefix { $0.first != UInt8(ascii: "[") }
    let key = Bytes("\t") + name + Bytes(" = ")
    guard settings.count == 1, let setting = settings.first, setting.starts(with: key) else {
      return nil
    }
    let value = setting.dropFirst(key.count)
    let isPlain =
      !value.isEmpty
      && value.allSatisfy { byte in
        UnicodeScalar(byte).properties.isAlphabetic && byte < 0x80
          || Bytes("0123456789=-_").contains(byte)
      }
    return isPlain ? Bytes(value) : nil
  }

  private var filesElsewhere: [File] {
    var files: [File] = []
    if let file = Environment.variable("GIT_CONFIG_GLOBAL") {
      files.append(File(path: Path(file)))
    } else {
      let home = Environment.variable("HOME").map { Path($0) }
      let base = Environment.variable("XDG_CONFIG_HOME").map { Path($0) }
      if let home { files.append(File(path: home.appending(".gitconfig"), directory: home)) }
      if let configuration = base ?? home?.appending(".config") {
        files.append(File(path: configuration.appending("git/config"), directory: configuration))
      }
    }
    if !isSystemLeftOut {
      let path = Environment.variable("GIT_CONFIG_SYSTEM") ?? Bytes("/etc/gitconfig")
      files.append(File(path: Path(path)))
    }
    return files
  }

  private var isSystemLeftOut: Bool {
    guard let value = Environment.variable("GIT_CONFIG_NOSYSTEM") else { return false }
    let text = String(decoding: value, as: UTF8.self).lowercased()
    return !["false", "no", "off"].contains(text) && Int(text) != 0
  }

  private func isMentioned(in files: [File]) throws(GitError) -> Bool {
    var seen: [Path] = []
    for file in files {
      do throws(SystemError) {
        if try isMentioned(in: file.path, &seen) { return true }
      } catch {
        let isClosed = file.directory.map { !mayEnter($0) } ?? false
        if error.errno != .accessDenied || !isClosed { throw .unreadable(error) }
      }
    }
    return false
  }

  private func mayEnter(_ directory: Path) -> Bool {
    do throws(SystemError) {
      _ = try FileStatus.of(directory.appending("."))
      return true
    } catch {
      return error.errno != .accessDenied
    }
  }

  /// Whether `file` or a file that it includes mentions the section. Each file is read once, so
  /// cycles end.
  private func isMentioned(in file: Path, _ seen: inout [Path]) throws(SystemError) -> Bool {
    if seen.contains(file) { return false }
    seen.append(file)
    guard let text = try file.line() else { return false }
    if contains(text, word) { return true }
    guard contains(text, Bytes("include")) else { return false }
    for line in text.split(separator: .newline) {
      guard let included = includedPath(Bytes(line)) else { continue }
      // Escapes, a prefix, quotes in the middle, or a comment: git has to parse it.
      if included.contains(where: { Bytes("\\%\"#;").contains($0) }) { return true }
      var path = Path(included, below: file.parent)
      if included.starts(with: Bytes("~/")) {
        guard let home = Environment.variable("HOME") else { return true }
        path = Path(home).appending(Bytes(included.dropFirst(2)))
      } else if included.first == UInt8(ascii: "~") {
        return true
      }
      do throws(SystemError) {
        if try isMentioned(in: path, &seen) { return true }
      } catch {
        return true
      }
    }
    return false
  }

  /// The value of a line of the form `path = VALUE`.
  private func includedPath(_ line: Bytes) -> Bytes? {
    let isBlank = { (byte: UInt8) in byte == UInt8(ascii: " ") || byte == UInt8(ascii: "\t") }
    var rest = line.drop(while: isBlank)
    if rest.first == UInt8(ascii: "[") {
      // A header and a path on one line are rare; git parses them.
      let values = rest.drop { $0 != UInt8(ascii: "]") }
      return contains(Bytes(values), Bytes("path")) ? Bytes("%") : nil
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

  /// Whether `text` contains `word`, ignoring case. `word` must be in lower case.
  private func contains(_ text: Bytes, _ word: Bytes) -> Bool {
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
