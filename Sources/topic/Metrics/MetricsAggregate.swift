import CommandLine
import Metrics
import POSIX

extension Command {
  static let metricsAggregate = Command(
    "aggregate", "keep totals up to date in files",
    Syntax(
      .metricsFile,
      required: [
        Option(
          "out", .directory("DIR"),
          help: "Write the files into DIR, which is created if it is missing.")
      ],
      options: [
        Option("by", .text("KEY"), help: "Group entries by KEY (default `epoch`)."),
        .metricsWhere, .metricsSuccess,
        Option(
          "require", .text("KEY"), repeatable: true,
          help: "Count entries as complete if KEY is there and not null (default `status`)."),
        Option(
          "duration", .text("KEY"),
          help: "Compare this field in `mttr-delta.json` (default `duration`)."),
        .lockTimeout,
        Option(
          "verbose", "v",
          help: """
            Print how many entries were new, how many there are, and how many lines are unreadable
            or cut.
            """),
      ],
      text: """
        Replaces the files in DIR that sum up FILE, and reads only what is new since the last call.

        - `baseline.json`: the first complete entry of at most 1 MiB
        - `post-rollout.json`: totals since the baseline
        - `completeness.json`: how many entries have each required key
        - `per-epoch.json`: totals for each value of `--by`
        - `mttr-delta.json`: the mean duration since the baseline, compared with that of the
          baseline
        - `state.json`: the totals so far, and how far FILE was read

        Each file is replaced as a whole, `state.json` last, under a flock(2) on DIR. Lines count as
        in `topic metrics summary`.

        If FILE was truncated or replaced since the last call, or the options have changed,
        the command reads everything again. Standard error says so. It also reports keys given with
        an option that no entry has, and whether anything was left out to bound memory.
        """,
      examples: """
        topic metrics aggregate --out "$run/metrics" "$run/metrics.jsonl"
        """)
  ) { arguments throws(Failure) in
    let file = try MetricsFile(arguments)
    let out = arguments.value(of: "out") ?? []
    if out.isEmpty {
      throw .emptyString("--out")
    }
    let required = try arguments.texts("require")
    let question = try MetricsSummary.Question(
      arguments, by: MetricsAggregates.usualGroup,
      required: required.isEmpty ? ["status"] : required)
    let aggregates = MetricsAggregates(
      of: file, in: Path(out), question, duration: try arguments.text("duration") ?? "duration"
    )
    try file.checkExists()
    let deadline = try arguments.deadline()
    let update = try attempt(aggregates.update(until: deadline), otherwise: .cannotCreate)
    let summary = update.summary
    if let reason = update.rebuilt { Tool.topic.note("reading everything again: \(reason)") }
    if summary.isBounded {
      Tool.topic.note("too many keys, groups or numbers: some are left out")
    }
    try summary.noteMissingKeys(arguments)
    if arguments.has("verbose") {
      Tool.topic.note(
        "\(update.new) entries read, \(summary.all.entries) in all,"
          + " \(summary.unreadable) unreadable, \(update.cut) cut at the end")
    }
  }
}
