import CommandLineTool
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
    let directory = try path(ofTopic: topic).appending(kind.rawValue)
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

  /// The topic's directory: the one that TOPIC names, else the topic in the detected root that has
  /// this number or name. Digits alone are a number first.
  private static func path(ofTopic topic: Bytes) throws(Failure) -> Path {
    if topic.isEmpty {
      throw .usage("the TOPIC is empty", advice: "is the variable set that it comes from?")
    }
    let isNumber = topic.allSatisfy { $0 &- UInt8(ascii: "0") <= 9 }
    let named = try attempt(Root(locating: Path(topic)), otherwise: .cannotCreate)
    if named.exists, !isNumber {
      let status = try attempt(FileStatus.of(named.path), otherwise: .cannotCreate)
      if status.kind == .directory || topic.contains(UInt8(ascii: "/")) { return named.path }
    }
    let root = try root(nil)
    let topics = root.exists ? try attempt(root.topics(.topic), otherwise: .inputOutput) : []
    let number = isNumber ? Int(String(decoding: topic, as: UTF8.self)) : nil
    let matches = topics.filter {
      isNumber ? $0.number == number : $0.entryName == topic || $0.name == topic
    }
    if matches.isEmpty {
      throw Failure(
        .cannotCreate,
        "there is no topic \(topic.quotedForMessage), neither as a path"
          + " nor in \(root.path.bytes.quotedForMessage)",
        advice: "topic list shows the topics, topic-alloc creates one")
    }
    if matches.count > 1 {
      throw Failure(
        .cannotCreate,
        "several topics are called \(topic.quotedForMessage): "
          + matches.map(\.entryName.quotedForMessage).joined(separator: ", "),
        advice: "give the path of one of them")
    }
    return matches[0].path
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
