import POSIX

/// Runs git in one directory, independent of the user's terminal and configuration.
///
/// It never prompts, runs no hooks, and starts no maintenance. Only commands that talk to a remote
/// follow the configuration for that.
public struct GitCommand: Sendable {
  /// The directory to run in.
  public let directory: Path
  /// When it has to be done.
  public var deadline: Instant
  /// Whether a signal that asks this process to end waits until the command is done.
  public var outlastsTermination = false
  /// Whether git syncs the objects and refs that a command writes before it ends: git-config(1),
  /// core.fsync.
  public var isDurable = false
  /// Configuration keys that every command gets with an empty value.
  private var emptied: [Bytes] = []

  /// git in `directory`, until `deadline`.
  public init(in directory: Path, until deadline: Instant) {
    self.directory = directory
    self.deadline = deadline
  }

  /// The exit status and output of a command.
  public struct Answer: Sendable {
    /// Its exit status: 128 plus the signal if a signal ended it.
    public let code: Int32
    /// Its standard output.
    public let output: Bytes
    /// Its standard error.
    public let error: Bytes

    /// Its standard output, without the newline at the end.
    public var line: Bytes { output.last == .newline ? output.dropLast() : output }

    /// Its standard error without trailing white space, for messages.
    public var words: String {
      let text = String(decoding: error, as: UTF8.self)
      return String(text.reversed().drop { $0.isWhitespace }.reversed())
    }
  }

  /// A command that would prompt must fail instead. A caller such as a hook may set variables that
  /// point git to another repository (git rev-parse --local-env-vars).
  private static let variables = [
    "GIT_TERMINAL_PROMPT=0", "GIT_ASKPASS=", "SSH_ASKPASS=", "SSH_ASKPASS_REQUIRE=never",
    "GCM_INTERACTIVE=never", "GIT_EDITOR=:", "GIT_PAGER=cat", "LC_ALL=C",
  ].map { Bytes($0) }
  private static let withoutVariables = [
    "GIT_ALTERNATE_OBJECT_DIRECTORIES", "GIT_COMMON_DIR", "GIT_DIR", "GIT_GRAFT_FILE",
    "GIT_IMPLICIT_WORK_TREE", "GIT_INDEX_FILE", "GIT_INTERNAL_SUPER_PREFIX", "GIT_NAMESPACE",
    "GIT_NO_REPLACE_OBJECTS", "GIT_OBJECT_DIRECTORY", "GIT_PREFIX", "GIT_QUARANTINE_PATH",
    "GIT_REPLACE_REF_BASE", "GIT_SHALLOW_FILE", "GIT_WORK_TREE", "GIT_TRACE", "GIT_REFLOG_ACTION",
  ].map { Bytes($0) }
  /// The name of a variable in ``variables`` whose value is empty.
  private static let emptyVariable = Bytes("GIT_ASKPASS")
  private static let settings = [
    "core.hooksPath=/dev/null", "gc.auto=0", "maintenance.auto=false",
    "fetch.writeCommitGraph=false",
    "core.fsmonitor=false", "core.alternateRefsCommand=true", "advice.detachedHead=false",
    "color.ui=false",
  ]
  private static let durableSettings = [
    "core.fsync=committed,loose-object,reference", "core.fsyncMethod=fsync",
  ]

  /// Runs `git WORDS` and returns its answer, whatever its exit status.
  ///
  /// - Parameters:
  ///   - words: The command and its arguments.
  ///   - input: Its standard input.
  ///   - variables: Additional variables, as `NAME=VALUE`.
  public func attempt(
    _ words: [Bytes], input: Bytes = [], variables: [Bytes] = []
  ) throws(GitError) -> Answer {
    var all = [Bytes("git"), Bytes("-C"), directory.bytes, Bytes("--no-optional-locks")]
    for setting in Self.settings + (isDurable ? Self.durableSettings : []) {
      all += [Bytes("-c"), Bytes(setting)]
    }
    // Unlike -c, this allows keys that contain an equals sign.
    for key in emptied {
      all.append(Bytes("--config-env=") + key + Bytes("=") + Self.emptyVariable)
    }
    var process = Subprocess(all + words)
    process.variables = Self.variables + variables
    process.withoutVariables = Self.withoutVariables
    process.input = input
    process.outlastsTermination = outlastsTermination
    let begin = Instant.now
    do throws(Subprocess.Failure) {
      let outcome = try process.run(until: deadline)
      return Answer(code: outcome.end.status, output: outcome.output, error: outcome.error)
    } catch {
      switch error {
      case .system(let error):
        if error.call == .fork, error.errno == .notFound { throw .noGit }
        throw .system(error)
      case .deadline:
        throw .notInTime(what: Self.name(words), waited: Instant.now - begin)
      case .interrupted: throw .interrupted
      }
    }
  }

  /// Runs `git WORDS` and returns its standard output, without the newline at the end.
  ///
  /// - Throws: ``GitError/failed(command:words:)`` if the exit status is not 0.
  public func run(
    _ words: [Bytes], input: Bytes = [], variables: [Bytes] = []
  ) throws(GitError) -> Bytes {
    let answer = try attempt(words, input: input, variables: variables)
    guard answer.code == 0 else {
      throw .failed(command: Self.name(words), words: answer.words)
    }
    return answer.line
  }

  /// Runs `git WORDS`, as ``run(_:input:variables:)`` does.
  public func run(_ words: String...) throws(GitError) -> Bytes {
    try run(words.map { Bytes($0) })
  }

  /// Disables the configured filters for all later commands: gitattributes(5). Commands that check
  /// whether a file has changed run them, and a filter can take any amount of time.
  public mutating func switchOffFilters() throws(GitError) {
    let answer = try attempt(
      [
        "config", "-z", "--name-only", "--get-regexp",
        "^filter\\..*\\.(clean|smudge|process|required)$",
      ].map { Bytes($0) })
    // 1 means that no key matches.
    guard answer.code <= 1 else { throw .failed(command: "git config", words: answer.words) }
    emptied = Set(answer.output.split(separator: 0).map { Bytes($0) })
      .sorted { $0.lexicographicallyPrecedes($1) }
  }

  private static func name(_ words: [Bytes]) -> String {
    var rest = words[...]
    while rest.first == Bytes("-c") { rest = rest.dropFirst(2) }
    let first = rest.first { !$0.starts(with: Bytes("-")) } ?? []
    return "git " + String(decoding: first, as: UTF8.self)
  }
}
