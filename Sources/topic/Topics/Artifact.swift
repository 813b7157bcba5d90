import CommandLine
import POSIX
import TopicAllocation
import TopicLedger

extension Command {
  private static let optionsWithName: [Option] = [
    Option(
      "suffix", .text("EXT"),
      help: """
        Create an empty file whose name ends in EXT instead of a directory. The dot in front may be
        left out.
        """), .reuse, .rootLockTimeout, .durable, .lockTimes,
  ]

  static let artifact = Command(
    "artifact", "create a directory for artifacts, or a numbered entry in it",
    Syntax(
      .one(.topic("TOPIC")), .one(.choice("KIND", ArtifactKind.self)), .optional(.text("NAME")),
      options: [OptionGroup("With a NAME", optionsWithName)],
      text: """
        Creates the directory TOPIC/KIND if it is missing, and prints its path. KIND is `reports`,
        `plans`, `summaries`, `debug`, `scripts` or `outputs`.

        With NAME, takes the next number in TOPIC/KIND, creates the directory `NUMBER_SLUG` in it,
        and prints the path of that, as one atomic step. The NAME `-` reads names from standard
        input, one per line.
        """,
      examples: """
        topic artifact 042 plans "First cut" --suffix .md

        # Write a report to a directory that may not exist yet.
        reports=$(topic artifact 042 reports) && date >"$reports/date.txt"
        """)
  ) { arguments throws(Failure) in
    let (topic, name) = (arguments.operands[0], arguments.operands[1])
    guard let kind = ArtifactKind(rawValue: String(decoding: name, as: UTF8.self)) else {
      throw .unknown("kind of artifact", name, ArtifactKind.allCases.map(\.rawValue))
    }
    let path = try TopicOperand(topic, as: "TOPIC").directory()
    let directory = try attempt(path.resolved(), otherwise: .inputOutput).appending(kind.rawValue)
    guard arguments.operands.count == 3 else {
      for option in optionsWithName where arguments.has(option.name) {
        throw .usage("--\(option.name) needs a NAME")
      }
      try attempt(makeDirectory(directory), otherwise: .cannotCreate)
      return try printOut(directory.bytes + Bytes("\n"))
    }
    let style = try Style(arguments)
    let request = try AllocationRequest(
      root: directory, slugs: Slug.ofNames(arguments.operands[2...], style.slugRule),
      style: style, arguments, defaultFormat: .path)
    try request.perform(.topic, in: .root, projectOf: Location.project(ofRoot:))
  }

  private static func makeDirectory(_ directory: Path) throws(SystemError) {
    do {
      try directory.makeDirectory()
    } catch {
      guard error.errno == .exists else { throw error }
      _ = try Descriptor(opening: directory, .directory)
    }
  }
}
