import CommandLine
import POSIX
import TopicAllocation
import TopicLedger

extension Command {
  static let locate = Command(
    name: "locate",
    help: """
      Usage: topic locate [option]... DESCRIPTION

      Finds project and root, takes the next number, creates the topic's directory,
      and prints JSON. Several words are taken as one DESCRIPTION. One that leaves no
      name becomes 'untitled', with a warning.

        -f, --format FORMAT   json (default), jsonl, pipe, path, number or shell
        -r, --reuse           when a topic of exactly that name exists, return it
        -w, --timeout SECS    give up when the lock is not free after SECS seconds
                              (default 30)
            --scope SCOPE     among whom the number is unique: root, worktrees, remote or
                              remote=NAME; --rescan: see topic-alloc(1)
            --durable         have the topic on disk before it is reported
        -v, --verbose         say how long the lock was waited for and held

      The project is $CLAUDE_PROJECT_DIR, else the git work tree that holds the current
      directory, else the current directory. The root is $CLAUDE_SPECS_ROOT, else
      PROJECT/.claude/specs, else PROJECT/specs, else PROJECT/.claude/specs made anew.
      It is an error if one of these places is a dangling symbolic link.

      """,
    options: [AllocationRequest.formatOption] + AllocationRequest.basicOptions
      + AllocationRequest.scopeOptions,
    operands: 1...Int.max
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
