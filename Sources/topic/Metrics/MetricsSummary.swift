import CommandLine
import Metrics

private enum Format: String, CaseIterable {
  case table, json, html
}

extension Command {
  static let metricsSummary = Command(
    "summary", "print totals, means and percentiles",
    Syntax(
      .metricsFile,
      options: [
        Option("by", .text("KEY"), help: "Print the same figures for each value of KEY, too."),
        .metricsWhere, .metricsSuccess,
        Option(
          "format", "f", .choice("FORMAT", Format.self),
          help: "`table` (default), `json` or `html`."
        ),
      ],
      text: """
        Prints the number of entries, the share whose `status` means success, and the count, mean,
        min, max, p50, p95 and p99 of every field with numbers.

        Percentiles are off by at most 0.8 % (1/128); all else is exact. If the sum of a field is
        too large for a double, its mean is unknown: `-` in the table, null in JSON.

        The segments of FILE and FILE itself are read in one pass. A line that is not a JSON object,
        or is longer than 16 MiB, counts as unreadable. A last line without its newline counts if it
        is a complete object; otherwise it is reported as cut and not counted.

        If no entry has a key that `--by` or `--where` names, standard error says so.

        Memory does not grow with FILE: for example, the command keeps at most 1,024 keys and 1,000
        groups, and keys and group values of at most 4,096 bytes. If it leaves anything out, the
        summary says so.
        """,
      examples: """
        topic metrics summary --by epoch "$run/metrics.jsonl"
        topic metrics summary --format json m.jsonl | jq .fields.duration.p95
        """)
  ) { arguments throws(Failure) in
    let file = try MetricsFile(arguments)
    let format = try arguments.choice("format", of: Format.self) ?? .table
    var summary = MetricsSummary(try MetricsSummary.Question(arguments))
    try file.checkExists()
    let reading = try attempt(summary.add(file), otherwise: .inputOutput)
    try summary.noteMissingKeys(arguments)
    let report = MetricsReport(summary, of: file.path, files: reading.files, cut: reading.cut)
    switch format {
    case .table: try printOut(report.table)
    case .json: try printOut(report.json)
    case .html: try printOut(report.html)
    }
  }
}
