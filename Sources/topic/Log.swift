import CommandLineTool
import JSON
import POSIX
import RunState

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

      append adds events to LOG, each JSON value on a line of its own; without JSON, those
      that it reads from standard input, one a line. Any number of processes can append
      at once. LOG and its directories are made when they are missing.

            --sync WHEN       have events on the disk after each (default for arguments),
                              after each batch (default for standard input), or never
            --batch N         write so many events of standard input at once (default 10)
            --linger SECS     or those that there are, when one has waited so long
                              (default 1)
            --queue N         read on only when fewer than N wait (default 10000)
            --skip-invalid    pass over what is no JSON, in place of ending there
        -v, --verbose         say how many events were queued, written, and so on

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
      throw .usage("the LOG is empty", advice: "is the variable set that it comes from?")
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
    let isInput = events.isEmpty
    let when = try arguments.choice("sync", of: EventQueue.Synchronization.self)
    let most = try arguments.number("queue", in: 1...1_000_000) ?? 10_000
    let batch = try arguments.number("batch", in: 1...1_000_000) ?? 10
    let linger = try arguments.seconds("linger") ?? 1_000_000_000
    var queue = try openQueue(
      log, when ?? (isInput ? .batch : .each), min(batch, most), linger)
    var failure: Failure?
    do {
      if isInput {
        try appendInput(to: &queue, skipsInvalid: arguments.has("skip-invalid"))
      } else {
        for (index, event) in events.enumerated() {
          try add(event[...], "argument \(index + 1)", to: &queue, arguments.has("skip-invalid"))
        }
      }
    } catch {
      failure = error
    }
    // What stands before a text that is no event is written all the same.
    if failure == nil || failure?.code == .data {
      do { try queue.flush() } catch { failure = Failure(error, what: "") }
    }
    let statistics = queue.statistics
    if arguments.has("verbose") {
      Tool.topic.note(
        "\(statistics.queued) queued, \(statistics.written) written, \(statistics.batches) batches,"
          + " \(statistics.errors) errors")
    }
    if let failure {
      // Of the last write, a part can have come to the disk.
      let count = failure.code == .data ? "\(statistics.written)" : "at least \(statistics.written)"
      throw Failure(
        failure.code, failure.message.map { "\($0); \(count) events are written" },
        advice: failure.advice)
    }
  }

  private static func openQueue(
    _ log: Path, _ when: EventQueue.Synchronization, _ batch: Int, _ linger: UInt64
  ) throws(Failure) -> EventQueue {
    do throws(SystemError) {
      return try EventQueue(log, when, batch: batch, linger: linger)
    } catch {
      throw Failure(error, otherwise: .cannotCreate)
    }
  }

  /// Takes in a line after the other until the end, or until a signal asks the process to end; what has
  /// been read until then is written before it does.
  private static func appendInput(
    to queue: inout EventQueue, skipsInvalid: Bool
  ) throws(Failure) {
    TerminationSignals.hold()
    let slice: UInt64 = 100_000_000
    var rest = Bytes()
    // How much of it is known to have no newline.
    var searched = 0
    var line = 0
    while !TerminationSignals.isWaiting {
      let patience = min(queue.timeLeft ?? slice, slice)
      if try attempt(StandardStream.input.isReadable(within: patience), otherwise: .inputOutput) {
        let chunk = try attempt(StandardStream.input.readChunk(), otherwise: .inputOutput)
        if chunk.isEmpty { break }
        rest += chunk
        var start = rest.startIndex
        while let end = rest[searched...].firstIndex(of: .newline) {
          line += 1
          try addLine(rest[start..<end], line, to: &queue, skipsInvalid)
          start = end + 1
          searched = start
        }
        rest.removeFirst(start)
        searched = rest.count
      }
      if queue.timeLeft == 0 {
        do { try queue.flush() } catch { throw Failure(error, what: "") }
      }
    }
    // After a signal, half a line is none.
    if !TerminationSignals.isWaiting {
      try addLine(rest[...], line + 1, to: &queue, skipsInvalid)
    }
  }

  /// A blank line is none.
  private static func addLine(
    _ text: ArraySlice<UInt8>, _ line: Int, to queue: inout EventQueue, _ skipsInvalid: Bool
  ) throws(Failure) {
    if text.allSatisfy({ $0 == 0x20 || $0 == 0x09 || $0 == 0x0D }) { return }
    try add(text, "line \(line)", to: &queue, skipsInvalid)
  }

  private static func add(
    _ text: ArraySlice<UInt8>, _ what: String, to queue: inout EventQueue, _ skipsInvalid: Bool
  ) throws(Failure) {
    do throws(EventError) {
      try queue.add(text)
    } catch {
      let failure = Failure(error, what: what)
      guard case .json = error, skipsInvalid else { throw failure }
      Tool.topic.note((failure.message ?? "") + "; passed over")
    }
  }

  // MARK: tail

  private static func tail(_ log: Path, _ arguments: Arguments) throws(Failure) {
    let count = try arguments.number("lines", in: 0...1_000_000) ?? 5
    let bound = try arguments.size("max-bytes") ?? 1 << 20
    let follows = arguments.has("follow")
    var file: Descriptor?
    var end: UInt64 = 0
    if log.isReachable {
      let opened = try attempt(
        Descriptor.maintained(log, .readNoLink), otherwise: .inputOutput)
      let tail = try attempt(LineTail(count, of: opened, bound: bound), otherwise: .inputOutput)
      end = tail.end
      try printOut(tail.lines.reduce(into: Bytes()) { $0 += $1 + [.newline] })
      if tail.isBounded {
        Tool.topic.note(
          "the last \(bound) bytes hold \(tail.lines.count) of \(count) events; --max-bytes looks further"
        )
      }
      if arguments.has("verbose") { Tool.topic.note("\(tail.skipped) lines passed over") }
      file = .some(consume opened)
    }
    if follows { try follow(log, file, from: end) }
  }

  private static func follow(
    _ log: Path, _ file: consuming Descriptor?, from offset: UInt64
  ) throws(Failure) {
    var follower = LineFollower(log, file, from: offset)
    while true {
      var text = Bytes()
      do throws(SystemError) {
        try follower.readNew { line in
          if LineTail.isEvent(line[...]) { text += line + [.newline] }
        }
      } catch {
        throw Failure(error, otherwise: .inputOutput)
      }
      if text.isEmpty { Instant.sleep(nanoseconds: 50_000_000) } else { try printOut(text) }
    }
  }
}

extension Failure {
  /// Why an event, which messages call `what`, is not in a log.
  init(_ error: EventError, what: String) {
    switch error {
    case .json(let error):
      self.init(.data, "\(what) is no JSON, at byte \(error.offset + 1): \(error.message)")
    case .system(let error): self.init(error, otherwise: .inputOutput)
    }
  }
}
