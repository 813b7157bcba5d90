import CommandLine
import POSIX
import TopicAllocation
import TopicLedger

extension Command {
  private static let allocationOptions =
    AllocationRequest.basicOptions + [Option("suffix", takesValue: true)]

  static let artifact = Command(
    name: "artifact",
    help: """
      Usage: topic artifact [option]... TOPIC KIND [NAME]

      Creates the directory TOPIC/KIND when it is missing and prints its path. With
      NAME, takes the next number inside it, atomically, creates the entry, and prints
      its path. TOPIC is a directory, or the number or name of a topic in the detected
      root. KIND is one of: reports plans summaries debug scripts outputs.

      With a NAME:
            --suffix EXT      create an empty file NAME.EXT in place of a directory
        -r, --reuse           when an entry of exactly that name exists, return it
        -w, --timeout SECS    give up when the lock is not free after SECS seconds
                              (default 30)
            --durable         have the entry on disk before it is reported
        -v, --verbose         say how long the lock was waited for and held

      Examples:
        topic artifact 042 reports
        topic artifact specs/042_oauth_20 plans "First cut" --suffix .md

      """,
    options: allocationOptions,
    operands: 2...3
  ) { arguments throws(Failure) in
    let (topic, name) = (arguments.operands[0], arguments.operands[1])
    guard let kind = ArtifactKind(rawValue: String(decoding: name, as: UTF8.self)) else {
      throw .unknown("kind of artifact", name, ArtifactKind.allCases.map(\.rawValue))
    }
    let path = try TopicOperand(topic, as: "TOPIC").directory()
    let directory = try attempt(path.resolved(), otherwise: .inputOutput).appending(kind.rawValue)
    guard arguments.operands.count == 3 else {
      for option in allocationOptions where arguments.has(option.name) {
        throw .usage("--\(option.name) goes with a NAME")
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
