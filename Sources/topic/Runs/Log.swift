import CommandLine
import POSIX
import Runs

extension Command {
  private static let appendOptions = [
    Option("sync", takesValue: true), Option("batch", takesValue: true),
    Option("linger", takesValue: true), Option("queue", takesValue: true), Option("skip-invalid"),
  ]
  private static let tailOptions = [
    Option("lines", "n", takesValue: true), Option("max-bytes", takesValue: true), Option("follow"),
  ]

  static let log = Command(
    name: "log",
    help: """
      Usage: topic log append [option]... LOG [JSON]...
             topic log tail [option]... LOG

      append adds events to LOG, each JSON value on a line of its own. Without JSON, it
      reads them from standard input, one per line. Any number of processes can append at
      once. LOG and its directories are created if missing. If another process is still
      writing the last line, append waits up to one second, then ends it.

            --sync WHEN       have events on the disk after each (default for arguments),
                              after each batch (default for standard input), or never
            --batch N         write so many events of standard input at once (default 10)
            --linger SECS     or those that there are, when one has waited so long
                              (default 1)
            --queue N         read on only when fewer than N wait (default 10000)
            --skip-invalid    skip input that is not JSON instead of stopping
        -v, --verbose         print how many events were queued and written, and if append
                              ended a line that another process was still writing

      tail prints the last events of LOG, and passes over lines that are torn or no JSON.
      Without LOG there are none.

        -n, --lines N         so many (default 5)
            --max-bytes SIZE  look at so much of the end of LOG (default 1MiB)
            --follow          go on with what is added, also when LOG is rotated; the file
                              that was rotated away is read on until it rests for 60 s
        -v, --verbose         say how many lines were passed over

      Examples:
        topic log append specs/042_oauth_20/events.jsonl '{"event": "started"}'
        my-agent --json | topic log append specs/042_oauth_20/events.jsonl
        topic log tail --follow specs/042_oauth_20/events.jsonl | jq .event

      """,
    options: appendOptions + tailOptions + [Option("verbose", "v")], operands: 2...Int.max
  ) { arguments throws(Failure) in
    let name = arguments.operands[0]
    let log = Path(arguments.operands[1])
    if log.bytes.isEmpty {
      throw .usage("LOG is an empty string", advice: "check the variable that it comes from")
    }
    let events = arguments.operands.dropFirst(2)
    switch String(decoding: name, as: UTF8.self) {
    case "append":
      try refuse(tailOptions, arguments, "tail")
      try append(events, to: log, arguments)
    case "tail":
      try refuse(appendOptions, arguments, "append")
      if !events.isEmpty { throw .usage("tail takes one LOG") }
      try tail(log, arguments)
    default: throw .unknown("log command", name, ["append", "tail"])
    }
  }

  private static func refuse(
    _ options: [Option], _ arguments: Arguments, _ owner: String
  ) throws(Failure) {
    for option in options where arguments.has(option.name) {
      throw .usage("--\(option.name) goes with topic log \(owner)")
    }
  }

  // MARK: append

  private static func append(
    _ events: ArraySlice<Bytes>, to log: Path, _ arguments: Arguments
  ) throws(Failure) {
    let when = try arguments.choice("sync", of: EventQueue.Synchronization.self)
    let most = try arguments.number("queue", in: 1...1_000_000) ?? 10_000
    let batch = try arguments.number("batch", in: 1...1_000_000) ?? 10
    let linger = try arguments.seconds("linger") ?? 1_000_000_000
    var queue = try attempt(
      EventQueue(
        log, when ?? (events.isEmpty ? .batch : .each), batch: min(batch, most), linger: linger),
      otherwise: .cannotCreate)
    try queue.append(Array(events), called: "events", arguments)
  }

  // MARK: tail

  private static func tail(_ log: Path, _ arguments: Arguments) throws(Failure) {
    let count = try arguments.number("lines", in: 0...1_000_000) ?? 5
    let bound = try arguments.size("max-bytes") ?? 1 << 20
    let follows = arguments.has("follow")
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
      if arguments.has("verbose") { Tool.topic.note("\(tail.skipped) lines passed over") }
      file = .some(consume opened)
    }
    if !follows { return }
    var follower = LineFollower(log, file, from: end, inLongLine: endsInLongLine)
    while true {
      let isNew = try printEvents { body throws(SystemError) in
        try follower.readNext { line in if LineTail.isEvent(line) { body(line) } }
      }
      if !isNew { Instant.sleep(nanoseconds: 50_000_000) }
    }
  }

  /// Prints the events that `read` hands over, and returns what it returns.
  private static func printEvents(
    _ read: ((ArraySlice<UInt8>) -> Void) throws(SystemError) -> Bool
  ) throws(Failure) -> Bool {
    var text = Bytes()
    var isRead = false
    do throws(SystemError) {
      isRead = try read { event in text += event.withoutByteOrderMark + [.newline] }
    } catch {
      throw Failure(error, otherwise: .inputOutput)
    }
    try printOut(text, isJSON: true)
    return isRead
  }

  /// The log; nil when there is none.
  private static func openLog(_ log: Path) throws(Failure) -> Descriptor? {
    do throws(SystemError) { return try Descriptor.maintained(log, .readNoLink) } catch {
      if error.errno == .notFound { return nil }
      throw Failure(error, otherwise: .inputOutput)
    }
  }
}
