import CommandLine
import POSIX
import TopicAllocation

/// A TOPIC or RUN on the command line: the path of a directory, or the number or name of a topic in the
/// detected root. Digits alone are a number first.
struct TopicOperand {
  /// What the user wrote.
  let text: Bytes
  /// What the help calls it: `TOPIC`, `RUN`.
  let word: String

  /// The operand `text`, which is not empty.
  init(_ text: Bytes, as word: String) throws(Failure) {
    if text.isEmpty {
      throw .usage("\(word) is an empty string", advice: "check the variable that it comes from")
    }
    (self.text, self.word) = (text, word)
  }

  /// The directory that it names: as it was written where it is a path, else absolute.
  ///
  /// - Throws: Status 66 with the nearest one that exists when there is none.
  func directory() throws(Failure) -> Path {
    let path = Path(text)
    let isNumber = text.allSatisfy { $0 &- UInt8(ascii: "0") <= 9 }
    let isThere = try status(of: path).map {
      $0.kind == .directory || text.contains(UInt8(ascii: "/"))
    }
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
        advice: "give the path of one of them")
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
    let isNumber = text.allSatisfy { $0 &- UInt8(ascii: "0") <= 9 }
    let mkdir =
      word == "RUN" && !isNumber ? text.wordForHint.map { "make it with: mkdir -p \($0)" } : nil
    return Failure(
      .noInput,
      "there is no \(what) \(text.quotedForMessage), neither as a path nor in"
        + " \(root.path.bytes.quotedForMessage)"
        + (near.map { "; did you mean \($0.quotedForMessage)?" } ?? ""),
      advice: mkdir ?? "'topic list' shows the topics, 'topic-alloc' creates one")
  }
}

extension Command {
  /// The RUN that follows the subcommand.
  static func runOperand(_ arguments: Arguments, of command: String) throws(Failure) -> Path {
    guard arguments.operands.count > 1 else { throw .usage("no RUN", advice: "\(command) RUN") }
    return try TopicOperand(arguments.operands[1], as: "RUN").directory()
  }
}
