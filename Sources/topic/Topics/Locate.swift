import CommandLine
import POSIX
import TopicAllocation
import TopicLedger

extension Command {
  static let locate = Command(
    "locate", "create the next topic of this project, or find it again",
    Syntax(
      .several(.text("DESCRIPTION")),
      options: [
        .allocationFormat, .reuse, .scope, .rescan, .rootLockTimeout, .durable, .lockTimes,
      ],
      text: """
        Detects the project and its ROOT, takes the next number, creates the directory of the topic,
        and prints JSON. `topic help environment` says how project and ROOT are detected.

        Several words are one DESCRIPTION. Its slug is the name of the topic: see `topic help names`.
        If no slug is left, the topic is called `untitled`, with a warning.
        """,
      examples: """
        topic locate "OAuth 2.0 login"
        topic=$(topic locate --reuse --format path "OAuth 2.0 login") || exit
        """)
  ) { arguments throws(Failure) in
    let description = Bytes(arguments.operands.joined(separator: [UInt8(ascii: " ")]))
    let project = try attempt(Location.project(), otherwise: .inputOutput)
    let request = try AllocationRequest(
      root: root(of: project, otherwise: .cannotCreate).path,
      slugs: [slugOrUntitled(description)], style: .topic,
      arguments)
    let scope = try Scope.inForce(arguments, for: request.root)
    try request.perform(.topic, in: scope) { _ in project }
  }

  private static func slugOrUntitled(_ description: Bytes) throws(Failure) -> Slug {
    if let slug = Slug(description, Style.topic.slugRule) { return slug }
    Tool.topic.note(
      "no name is left of \(description.quotedForMessage), the topic is called 'untitled'")
    return try Slug.ofNames([Bytes("untitled")], Style.topic.slugRule)[0]
  }
}
