import POSIX

/// The git command, run in one directory, as nobody's configuration or terminal changes it: it asks
/// nothing, runs no hook, and starts no maintenance. What talks to a remote does so as the
/// configuration says.
public struct GitCommand: Sendable {
  /// Where it runs.
  public let directory: Path
  /// When it has to be done.
  public var deadline: Instant
  /// Whether a signal that asks this process to end waits until a command is done.
  public var outlastsTermination = false
  /// Whether the objects and refs that a command writes are on the disk when it ends.
  public var isDurable = false
  /// Keys of the configuration that have an empty value for every command.
  private var emptied: [Bytes] = []

  /// git in `directory`, until `deadline`.
  public init(in directory: Path, until deadline: Instant) {
    self.directory = directory
    self.deadline = deadline
  }

  /// What a command printed.
  public struct Answer: Sendable {
    /// Its exit code; 128 and more when a signal ended it.
    public let code: Int32
    /// What it printed.
    public let output: Bytes
    /// What it printed on standard error.
    public let error: Bytes

    /// What it printed, without the newline at the end.
    public var line: Bytes { output.last == .newline ? output.dropLast() : output }

    /// What it printed on standard error, for a message.
    public var words: String {
      let text = String(decoding: error, as: UTF8.self)
      return String(text.reversed().drop { $0.isWhitespace }.reversed())
    }
  }

  /// What would prompt has to fail. A caller such as a hook may have variables that lead git elsewhere
  /// (git rev-parse --local-env-vars).
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
  /// The one of ``variables`` that stands for an empty value.
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

  /// Runs `git WORDS`, with `input` as its standard input and more `variables`, and returns what it
  /// printed, whatever its exit code.
  public func attempt(
    _ words: [Bytes], input: Bytes = [], variables: [Bytes] = []
  ) throws(GitError) -> Answer {
    var all = [Bytes("git"), Bytes("-C"), directory.bytes, Bytes("--no-optional-locks")]
    for setting in Self.settings + (isDurable ? Self.durableSettings : []) {
      all += [Bytes("-c"), Bytes(setting)]
    }
    // Unlike -c, this takes a key with an equals sign in it.
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

  /// Runs `git WORDS` as ``attempt(_:input:variables:)`` does; another exit code than 0 is an error.
  public func run(
    _ words: [Bytes], input: Bytes = [], variables: [Bytes] = []
  ) throws(GitError) -> Bytes {
    let answer = try attempt(words, input: input, variables: variables)
    guard answer.code == 0 else {
      throw .failed(command: Self.name(words), words: answer.words)
    }
    return answer.line
  }

  /// As ``run(_:input:variables:)``, for words that are text.
  public func run(_ words: String...) throws(GitError) -> Bytes {
    try run(words.map { Bytes($0) })
  }

  /// Switches off the filters of the configuration for all later commands: gitattributes(5). Commands that
  /// check whether a file has changed run them, and a filter can take any amount of time.
  public mutating func switchOffFilters() throws(GitError) {
    let answer = try attempt(
      [
        "config", "-z", "--name-only", "--get-regexp",
        "^filter\\..*\\.(clean|smudge|process|required)$",
      ].map { Bytes($0) })
    // 1 is none.
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
