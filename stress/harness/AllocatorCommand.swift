import CommandLine
import POSIX

/// A program that allocates numbers, and how to call it.
struct AllocatorCommand {
  /// The value of `--allocator`, or the name of the default.
  let text: String
  /// The executable.
  let program: Path
  private let words: [Bytes]

  /// `topic-alloc`, found by ``beside(_:)``. With a `scope`, it gives up a little earlier than the
  /// harness does.
  static func topicAlloc(_ scope: SharedScope?, timeout: UInt64) throws(Failure) -> AllocatorCommand
  {
    guard let program = beside("topic-alloc") else {
      throw .usage(
        "there is no topic-alloc beside this program or in PATH",
        advice: "build it with 'swift build -c release', or choose a program with --allocator")
    }
    return AllocatorCommand(
      text: "topic-alloc", program: program,
      words: (["topic-alloc", "--verbose", "--format", "path"]
        + (scope.map { ["--scope", $0.rawValue, "--timeout", "\(Double(timeout) / 1.2e9)"] } ?? [])
        + ["--", "{root}", "{name}"]).map { Bytes($0) })
  }

  /// The program of this name in `$TOPIC_ALLOC_BIN`, beside this program or in PATH.
  static func beside(_ name: String) -> Path? {
    var places = [Environment.variable("TOPIC_ALLOC_BIN").map { Path($0) }].compactMap { $0 }
    if let own = Path("/proc/self/exe").linkTarget { places.append(own.parent) }
    return places.map { $0.appending(name) }.first { isProgram($0) } ?? findInPath(Bytes(name))
  }

  private init(text: String, program: Path, words: [Bytes]) {
    self.text = text
    self.program = program
    self.words = words
  }

  /// Reads a command line that has `{root}` and `{name}`. It is split into words as in a shell,
  /// with quotes and backslashes, but no shell runs.
  init(parsing command: Bytes) throws(Failure) {
    let words = try Self.words(of: command)
    let text = String(decoding: command, as: UTF8.self)
    guard let name = words.first, !name.isEmpty else {
      throw .emptyString("the allocator")
    }
    for placeholder in ["{root}", "{name}"]
    where !words.contains(where: { $0.replacing(placeholder, with: []) != $0 }) {
      throw .usage(
        "allocator \(command.quotedForMessage) has no \(placeholder)",
        advice:
          "put \(placeholder) where the \(placeholder == "{root}" ? "directory" : "name") goes,"
          + " as in 'number.sh {root} {name}'")
    }
    let slash = UInt8(ascii: "/")
    let program = name.contains(slash) ? Path(name) : Self.findInPath(name)
    guard let program, program.isReachable else {
      throw .usage(
        "allocator \(name.quotedForMessage) does not exist",
        advice: name.contains(slash)
          ? "check the spelling; relative paths start from the current directory"
          : "it is not in PATH; write ./ before a program in the current directory")
    }
    guard Self.isProgram(program) else {
      throw .usage(
        "allocator \(name.quotedForMessage) is not an executable program",
        advice: "make it executable with 'chmod +x'")
    }
    self.init(text: text, program: program, words: words)
  }

  /// The arguments for a call, with the program's name first.
  func arguments(root: Path, name: String) -> [Bytes] {
    words.map { $0.replacing("{root}", with: root.bytes).replacing("{name}", with: Bytes(name)) }
  }

  private static func isProgram(_ path: Path) -> Bool {
    path.isExecutable && (try? FileStatus.of(path))?.kind == .file
  }

  /// The program of this name in PATH; nil if there is none.
  static func findInPath(_ name: Bytes) -> Path? {
    let directories = (Environment.variable("PATH") ?? []).split(separator: UInt8(ascii: ":"))
    return directories.map { Path(Bytes($0)).appending(name) }.first { isProgram($0) }
  }

  private static func words(of command: Bytes) throws(Failure) -> [Bytes] {
    var words: [Bytes] = []
    var word: Bytes?
    var quote: UInt8?
    var rest = command[...]
    while let byte = rest.popFirst() {
      switch (byte, quote) {
      case (UInt8(ascii: "'"), UInt8(ascii: "'")), (UInt8(ascii: "\""), UInt8(ascii: "\"")):
        quote = nil
      case (UInt8(ascii: "'"), nil), (UInt8(ascii: "\""), nil):
        quote = byte
        word = word ?? []
      case (UInt8(ascii: "\\"), nil):
        guard let escaped = rest.popFirst() else { break }
        word = (word ?? []) + [escaped]
      case (UInt8(ascii: "\\"), UInt8(ascii: "\"")):
        guard let escaped = rest.popFirst() else { break }
        word = (word ?? []) + (Bytes("\\\"$`").contains(escaped) ? [escaped] : [byte, escaped])
      case (UInt8(ascii: " "), nil), (UInt8(ascii: "\t"), nil), (.newline, nil):
        if let word { words.append(word) }
        word = nil
      case (_, nil) where Bytes("|&;<>()$`").contains(byte):
        throw .usage(
          "allocator \(command.quotedForMessage) needs a shell for '\(UnicodeScalar(byte))'",
          advice: "call a shell: sh -c '... \"$1\" \"$2\"' sh {root} {name}")
      default: word = (word ?? []) + [byte]
      }
    }
    if quote != nil {
      throw .usage("allocator \(command.quotedForMessage) has an unterminated quote")
    }
    return words + (word.map { [$0] } ?? [])
  }
}

extension Bytes {
  fileprivate func replacing(_ placeholder: String, with value: Bytes) -> Bytes {
    let pattern = Bytes(placeholder)
    var result = Bytes()
    var rest = self[...]
    while !rest.isEmpty {
      if rest.starts(with: pattern) {
        result += value
        rest = rest.dropFirst(pattern.count)
      } else {
        result.append(rest.removeFirst())
      }
    }
    return result
  }
}
