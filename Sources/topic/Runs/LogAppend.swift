import CommandLine
import POSIX
import Runs

extension Command {
  static let logAppend = Command(
    "append", "append events, also from many processes at once",
    Syntax(
      .one(.file("LOG")), .any(.text("JSON")),
      options: [
        Option(
          "sync", .choice("WHEN", EventQueue.Synchronization.self),
          help: """
            Have events on disk after `each` (default for arguments), after each `batch` (default
            for standard input), or `never` wait for the disk.
            """),
        Option(
          "batch", .text("N"),
          help: """
            Write N events of standard input at once, or fewer if they reach 1 MiB (default 10).
            """),
        Option(
          "linger", .text("SECS"),
          help: "Write an incomplete batch once an event has waited for SECS seconds (default 1)."),
        Option(
          "queue", .text("N"),
          help: """
            Read more input only while fewer than N events wait (default 10000). Nothing is dropped.
            """),
        Option(
          "skip-invalid",
          help: "Skip input that is not an event, with a warning, instead of stopping."),
        Option(
          "verbose", "v",
          help: """
            Print how many events were queued and written, in how many batches, and how many errors
            there were: texts that are not JSON, and writes that failed. Also say if the command
            ended a line that another process was still writing.
            """),
      ],
      text: """
        Appends events to LOG, each JSON value on a line of its own. Without JSON, reads them from
        standard input, one per line. LOG and its directories are created if they are missing.

        Any number of processes can append at once. A batch is one write(2) after whatever others
        append, without a lock. A writer that dies loses at most its own last event. If a crash left
        the last line without its newline, the next writer ends that line first. If another process
        is still writing the last line, the command waits up to one second, then ends it.

        Input that is not JSON, or longer than 16 MiB, is an error that names the line and the byte.
        The exit status is 65, and the events before it are written. A byte order mark at the
        beginning is ignored. At the end of input, and after a signal that asks it to end, the
        command writes all whole lines that it has read.
        """,
      examples: """
        topic log append specs/042_oauth_20/events.jsonl '{"event": "started"}'
        my-agent --json | topic log append specs/042_oauth_20/events.jsonl
        """)
  ) { arguments throws(Failure) in
    let log = try RunLog.path(arguments.operands[0])
    let events = Array(arguments.operands.dropFirst())
    let when = try arguments.choice("sync", of: EventQueue.Synchronization.self)
    let most = try arguments.number("queue", in: 1...1_000_000) ?? 10_000
    let batch = try arguments.number("batch", in: 1...1_000_000) ?? 10
    let linger = try arguments.seconds("linger") ?? .seconds(1)
    var queue = try attempt(
      EventQueue(
        log, when ?? (events.isEmpty ? .batch : .each), batch: min(batch, most), linger: linger),
      otherwise: .cannotCreate)
    try queue.append(events, called: "events", arguments)
  }
}
