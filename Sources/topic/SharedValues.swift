import CommandLine
import Git
import POSIX
import TopicAllocation

extension Value {
  /// The directory, number or name of a topic.
  static func topic(_ placeholder: String) -> Value {
    .among(placeholder, orDirectory: true) { _ in
      let topics = (try? root(nil).topics(.topic)) ?? []
      return topics.flatMap { topic in
        let number = String(decoding: topic.digits, as: UTF8.self)
        let name = String(validating: topic.name, as: UTF8.self)
        return [Candidate(number, topic.name.printable)]
          + (name.map { [Candidate($0, number)] } ?? [])
      }
    }
  }

  /// A branch, tag or commit of the current repository.
  static func ref(_ placeholder: String) -> Value {
    .among(placeholder) { _ in
      let git = GitCommand(in: Path("."), until: Instant.now + .seconds(2))
      let refs = try? git.run(
        "for-each-ref", "--format=%(refname:short)", "refs/heads", "refs/remotes", "refs/tags")
      return (refs ?? []).split(separator: .newline).map { Candidate(Bytes($0).printable) }
    }
  }
}

extension Operand {
  /// The directory of a run, which is often that of a topic.
  static let run = Operand.one(.topic("RUN"))
  /// The directory that holds topics; where there is none, it is detected.
  static let root = Operand.optional(.directory("ROOT"))
}
