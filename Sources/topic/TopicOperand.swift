import CommandLine
import POSIX
import TopicAllocation

/// A TOPIC or RUN on the command line: the path of a directory, or the number or name of a topic in the
/// detected root. Digits alone are a number first, then a path.
struct TopicOperand {
  /// The operand as it was typed.
  let text: Bytes
  /// What the help calls it: `TOPIC`, `RUN`.
  let word: String

  /// - Throws: Status 64 if `text` is empty.
  init(_ text: Bytes, as word: String) throws(Failure) {
    if text.isEmpty {
      throw .emptyString("\(word)")
    }
    (self.text, self.word) = (text, word)
  }

  private var isNumber: Bool { text.allSatisfy { $0 &- UInt8(ascii: "0") <= 9 } }
  private var hasSlash: Bool { text.contains(UInt8(ascii: "/")) }

  /// The directory that it names: a path as it was typed, the path of a topic absolute.
  ///
  /// - Throws: Status 66 with the closest name if there is no such directory.
  func directory() throws(Failure) -> Path {
    let path = Path(text)
    let isThere = try status(of: path).map { $0.kind == .directory || hasSlash }
    if !isNumber, isThere == true { return path }
    let root = try root(nil)
    let topics = root.exists ? try attempt(root.topics(.topic), otherwise: .inputOutput) : []
    let number = isNumber ? Int(String(decoding: text, as: UTF8.self)) : nil
    let matches = topics.filter {
      isNumber ? $0.number == number : $0.entryName == text || $0.name == text
    }
    if matches.count > 1 {
      throw Failure(
        .cannotCreate,
        "several topics are called \(text.quotedForMessage): "
          + matches.map(\.entryName.quotedForMessage).joined(separator: ", "),
        advice: "use the path of one of them")
    }
    if let match = matches.first { return match.path }
    if isThere == true { return path }
    throw missing(path, root, topics)
  }

  private func status(of path: Path) throws(Failure) -> FileStatus? {
    do throws(SystemError) { return try FileStatus.of(path) } catch {
      if [.notFound, .notDirectory, .nameTooLong].contains(error.errno) { return nil }
      throw Failure(error, otherwise: .inputOutput)
    }
  }

  private func missing(_ path: Path, _ root: Root, _ topics: [Topic]) -> Failure {
    let names = topics.flatMap { [$0.entryName, $0.name] }
    let near = path.nearestSibling { $0 == .directory } ?? text.nearestName(in: names)
    let what = word == "RUN" ? "run" : "topic"
    let place = root.path.bytes.quotedForMessage
    let elsewhere =
      hasSlash
      ? ""
      : root.exists ? ", and no such topic in \(place)" : ", and the root \(place) does not exist"
    let mkdir =
      word == "RUN" && !isNumber ? text.wordForHint.map { "make it with: mkdir -p \($0)" } : nil
    return Failure(
      .noInput,
      "there is no \(what) \(text.quotedForMessage): no such directory\(elsewhere)"
        + (near.map { "; did you mean \($0.quotedForMessage)?" } ?? ""),
      advice: mkdir ?? "run 'topic list' to see the topics, 'topic locate' to create one")
  }
}

extension Command {
  /// The RUN after the name of the subcommand.
  static func runOperand(_ arguments: Arguments, of command: String) throws(Failure) -> Path {
    guard arguments.operands.count > 1 else { throw .usage("no RUN", advice: "\(command) RUN") }
    return try TopicOperand(arguments.operands[1], as: "RUN").directory()
  }
}
