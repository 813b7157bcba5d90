import CommandLine

extension Command {
  static let metrics = Command(
    "metrics", "record figures as lines of JSON, and sum them up",
    text: """
      Records and sums up metrics: JSON objects, one per line, whose `status` says how something
      went.

      `rotate` renames a full FILE to a segment. `summary` and `aggregate` read the segments, oldest
      first, and then FILE.
      """,
    subcommands: [.metricsAppend, .metricsSummary, .metricsAggregate, .metricsRotate])
}
