import CommandLine
import Metrics
import POSIX

extension Command {
  static let metricsRotate = Command(
    "rotate", "rename a full file to a segment",
    Syntax(
      .metricsFile,
      options: [
        Option("max-bytes", .text("SIZE"), help: "FILE is full at this size, such as `64MiB`."),
        Option("max-lines", .text("N"), help: "FILE is full at N lines."), .lockTimeout,
      ],
      text: """
        Renames FILE to a segment if it is full, and prints the path of the segment; otherwise
        prints nothing. One of `--max-bytes` and `--max-lines` says when FILE is full.

        The segment is called FILE.TIME-NUMBER, such as `m.jsonl.20261121T083000Z-001`. NUMBER has 3
        to 18 digits; a segment whose number has more digits is an error. Writers that have FILE
        open continue in the segment, so no entry is lost.
        """,
      examples: """
        topic metrics rotate --max-bytes 64MiB "$run/metrics.jsonl"
        """)
  ) { arguments throws(Failure) in
    let file = try MetricsFile(arguments)
    let limit: MetricsFile.Limit
    switch try (arguments.size("max-bytes"), arguments.number("max-lines", in: 1...1_000_000_000)) {
    case (let bytes?, nil): limit = .bytes(bytes)
    case (nil, let lines?): limit = .lines(lines)
    case (nil, nil): throw .usage("no --max-bytes and no --max-lines", advice: "give one of them")
    default: throw .usage("--max-bytes and --max-lines exclude each other")
    }
    try file.checkExists()
    let deadline = try arguments.deadline()
    let segment = try attempt(file.rotate(limit, until: deadline), otherwise: .inputOutput)
    if let segment { try printOut(segment.bytes + [.newline]) }
  }
}
