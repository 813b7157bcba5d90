import CommandLine
import POSIX
import Runs

extension Command {
  static let logTail = Command(
    "tail", "print the last events, and follow the log",
    Syntax(
      .one(.file("LOG")),
      options: [
        Option("lines", "n", .text("N"), help: "Print the last N events (default 5)."),
        Option(
          "max-bytes", .text("SIZE"),
          help: """
            Look only at the last SIZE bytes of LOG, such as `64KiB` or `1MiB` (default).
            """),
        Option(
          "follow",
          help: """
            Keep printing what is added, also when LOG is rotated, replaced or emptied, or appears
            later. A file that was rotated away is read until nothing was added to it for 60
            seconds.
            """),
        Option("verbose", "v", help: "Print how many lines were skipped."),
      ],
      text: """
        Prints the last events of LOG. Skips lines that are torn, not JSON or not UTF-8.

        A last line without its newline counts if it is complete JSON. A bare number does not count,
        because digits may be missing. The time that this takes does not depend on the size of LOG.
        If there is no LOG, nothing is printed.
        """,
      examples: """
        topic log tail specs/042_oauth_20/events.jsonl
        topic log tail --follow specs/042_oauth_20/events.jsonl | jq .event
        """)
  ) { arguments throws(Failure) in
    let log = try RunLog.path(arguments.operands[0])
    let count = try arguments.number("lines", in: 0...1_000_000) ?? 5
    let bound = try arguments.size("max-bytes") ?? 1 << 20
    var file: Descriptor?
    var end: UInt64 = 0
    var endsInLongLine = false
    if let opened = try openLog(log) {
      var tail = try attempt(LineTail(count, of: opened, bound: bound), otherwise: .inputOutput)
      (end, endsInLongLine) = (tail.end, tail.endsInLongLine)
      while try printEvents({ body throws(SystemError) in try tail.readNext(of: opened, body) }) {}
      if tail.isBounded {
        Tool.topic.note(
          "the last \(bound) bytes hold \(tail.count) of \(count) events; --max-bytes looks further"
        )
      }
      if arguments.has("verbose") { Tool.topic.note("\(counted(tail.skipped, "line")) skipped") }
      file = .some(consume opened)
    }
    if !arguments.has("follow") { return }
    var follower = LineFollower(log, file, from: end, inLongLine: endsInLongLine)
    while true {
      let isNew = try printEvents { body throws(SystemError) in
        try follower.readNext { line in if LineTail.isEvent(line) { body(line) } }
      }
      if !isNew { Instant.sleep(.milliseconds(50)) }
    }
  }

  /// Prints the events that `read` hands over, and returns what it returns.
  private static func printEvents(
    _ read: ((ArraySlice<UInt8>) -> Void) throws(SystemError) -> Bool
  ) throws(Failure) -> Bool {
    var text = Bytes()
    let isRead = try attempt(
      read { event in text += event.withoutByteOrderMark + [.newline] }, otherwise: .inputOutput)
    try printOut(text, isJSON: true)
    return isRead
  }

  /// The log; nil if there is none.
  private static func openLog(_ log: Path) throws(Failure) -> Descriptor? {
    do throws(SystemError) { return try Descriptor.maintained(log, .readNoLink) } catch {
      if error.errno == .notFound { return nil }
      throw Failure(error, otherwise: .inputOutput)
    }
  }
}
