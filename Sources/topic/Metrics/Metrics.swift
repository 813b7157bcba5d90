import CommandLine
import JSON
import Metrics
import POSIX
import Runs

private enum MetricsFormat: String, CaseIterable {
  case table, json, html
}

extension Command {
  private static let readingOptions = [
    Option("by", takesValue: true), Option("where", takesValue: true),
    Option("success", takesValue: true),
  ]
  private static let aggregateOptions = [
    Option("out", takesValue: true), Option("require", takesValue: true),
    Option("duration", takesValue: true),
  ]
  private static let rotateOptions = [
    Option("max-bytes", takesValue: true), Option("max-lines", takesValue: true),
  ]

  private static let appendOptions = [Option("sync", takesValue: true), Option("skip-invalid")]
  private static let sharedOptions = [
    Option("format", "f", takesValue: true), Option("verbose", "v"),
  ]

  static let metrics = Command(
    name: "metrics",
    help: """
      Usage: topic metrics append [option]... FILE KEY=VALUE... | JSON...
             topic metrics summary [option]... FILE
             topic metrics aggregate --out DIR [option]... FILE
             topic metrics rotate --max-bytes SIZE | --max-lines N  FILE

      Metrics are JSON objects, one a line, whose "status" says how it went. All commands
      read the segments that rotate has made first, and then FILE.

      append adds one entry made of the KEY=VALUE pairs, or each JSON object. Numbers,
      true, false and null keep their type; any other value is text. Without either, each
      line of standard input is an entry. Lines are written in batches: after one second,
      after 10,000 lines or 1 MiB, at the end of input, and after a signal.

            --sync WHEN       each (default): everything is on disk before the command
                              returns, and each batch of input when it is written; or never
            --skip-invalid    skip lines that are not JSON objects instead of stopping
        -v, --verbose         print how many entries were queued and written, in how many
                              batches, and how many errors there were

      summary prints the number of entries, the share that succeeded, and of every field
      with numbers count, mean, min, max, p50, p95 and p99. Percentiles are wrong by 0.8 %
      at most, all else is exact. One pass, in memory that does not grow with FILE. A key
      that no entry has is reported.

            --by KEY          the same for each value of KEY
            --where KEY=VALUE count such entries only; may be repeated
            --success VALUE   a status that is a success; may be repeated (default: passed
                              success succeeded ok completed done)
        -f, --format FORMAT   table (default), json or html

      aggregate replaces these files in DIR: baseline.json (the first complete entry of at
      most 1 MiB), post-rollout.json (totals since), completeness.json, per-epoch.json
      (grouped by --by, default epoch), mttr-delta.json (the mean duration since, compared
      with the baseline) and state.json. It reads only what is new since the last call, or
      everything if FILE was truncated or replaced.

            --out DIR         where they go; it is made when it is missing
            --require KEY     a complete entry has it; may be repeated (default: status)
            --duration KEY    the field that mttr-delta.json is about (default: duration)
        -v, --verbose         say how many entries were new

      rotate renames FILE to a segment, FILE.TIME-NUMBER, when it is full, and prints its
      path. Who is writing meanwhile loses nothing.

            --max-bytes SIZE  full with so much, such as 64MiB
            --max-lines N     full with so many lines

      Examples:
        topic metrics append "$run/metrics.jsonl" status=passed epoch=3 duration=12.5
        topic metrics summary --by epoch "$run/metrics.jsonl"
        topic metrics summary --format json m.jsonl | jq .fields.duration.p95

      """,
    options: appendOptions + readingOptions + aggregateOptions + rotateOptions + sharedOptions,
    operands: 2...Int.max
  ) { arguments throws(Failure) in
    let name = arguments.operands[0]
    let path = Path(arguments.operands[1])
    if path.bytes.isEmpty {
      throw .usage("FILE is an empty string", advice: "check the variable that it comes from")
    }
    let command = String(decoding: name, as: UTF8.self)
    let names = ["append", "summary", "aggregate", "rotate"]
    guard names.contains(command) else { throw .unknown("metrics command", name, names) }
    for (options, owners) in [
      (appendOptions, ["append"]), (readingOptions, ["summary", "aggregate"]),
      (aggregateOptions, ["aggregate"]), (rotateOptions, ["rotate"]),
      ([sharedOptions[0]], ["summary"]), ([sharedOptions[1]], ["append", "aggregate"]),
    ] where !owners.contains(command) {
      for option in options where arguments.has(option.name) {
        throw .usage(
          "--\(option.name) goes with topic metrics \(owners.joined(separator: " and "))")
      }
    }
    let file = MetricsFile(path)
    let words = arguments.operands.dropFirst(2)
    if command == "append" { return try append(words, to: file, arguments) }
    if !words.isEmpty { throw .usage("topic metrics \(command) takes one FILE") }
    switch command {
    case "summary": try summarize(file, arguments)
    case "aggregate": try aggregate(file, arguments)
    default: try rotate(file, arguments)
    }
  }

  // MARK: append

  private enum Durability: String, CaseIterable {
    case each, never
  }

  /// So many entries are written at once.
  private static let batch = 10_000

  private static func append(
    _ words: ArraySlice<Bytes>, to file: MetricsFile, _ arguments: Arguments
  ) throws(Failure) {
    let durability = try arguments.choice("sync", of: Durability.self) ?? .each
    // The first word says what all are: what is wrong with a later one is reported as such.
    let areObjects = words.first?.first.map { $0 == UInt8(ascii: "{") } ?? true
    let entries = try areObjects ? Array(words) : [entry(pairs: words)]
    var queue = try attempt(
      EventQueue(
        file.path, durability == .each ? .batch : .never, batch: batch, linger: 1_000_000_000),
      otherwise: .cannotCreate)
    queue.requiresObjects = true
    try queue.append(entries, called: "entries", arguments)
  }

  private static func entry(pairs words: ArraySlice<Bytes>) throws(Failure) -> Bytes {
    var members: [JSONValue.Member] = []
    for word in words {
      let parts = word.split(
        separator: UInt8(ascii: "="), maxSplits: 1, omittingEmptySubsequences: false)
      guard parts.count == 2, !parts[0].isEmpty else {
        throw .usage(
          "\(word.quotedForMessage) is not KEY=VALUE",
          advice: "give KEY=VALUE pairs or JSON objects, not both; see 'topic help metrics'")
      }
      guard let key = String(validating: parts[0], as: UTF8.self),
        let text = String(validating: parts[1], as: UTF8.self)
      else { throw Failure(.data, "\(word.quotedForMessage) is not UTF-8") }
      if members.contains(where: { $0.key == key }) {
        throw .usage("\(Bytes(key).quotedForMessage) is given twice")
      }
      var value = JSONValue.string(text)
      // White space around a number makes a text of it.
      let isBare = !parts[1].contains { $0 <= 0x20 }
      let spelled = isBare ? try? JSONValue(parsing: parts[1]) : nil
      switch spelled {
      // What no double holds, such as 12e4567, is rather the name of a commit.
      case .number(let digits) where spelled?.double != nil: value = .number(digits)
      case .bool(let truth): value = .bool(truth)
      case .null: value = .null
      default: break
      }
      members.append(JSONValue.Member(key, value))
    }
    var json = JSONWriter(.compact)
    json.value(.object(members))
    return json.text
  }

  // MARK: summary and aggregate

  private static func question(
    _ arguments: Arguments, by: String? = nil, required: [String] = []
  ) throws(Failure) -> MetricsSummary.Question {
    var conditions: [MetricsSummary.Question.Condition] = []
    for text in try texts(of: "where", arguments) {
      let parts = text.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
      guard parts.count == 2, !parts[0].isEmpty else {
        throw .usage("--where takes KEY=VALUE, not \(Bytes(text).quotedForMessage)")
      }
      conditions.append(.init(String(parts[0]), String(parts[1])))
    }
    let success = try texts(of: "success", arguments)
    return MetricsSummary.Question(
      by: try text(of: "by", arguments) ?? by, where: conditions, required: required,
      success: success.isEmpty ? MetricsSummary.Question.usualSuccess : success)
  }

  private static func texts(of option: String, _ arguments: Arguments) throws(Failure) -> [String] {
    var texts: [String] = []
    for value in arguments.values(of: option) {
      guard let text = String(validating: value, as: UTF8.self), !text.isEmpty else {
        throw .usage("--\(option) is empty or no UTF-8")
      }
      texts.append(text)
    }
    return texts
  }

  /// Says which keys that options name no entry has: their figures would be zero without a word.
  private static func noteMissingKeys(
    _ summary: MetricsSummary, _ arguments: Arguments
  ) throws(Failure) {
    var asked: [(option: String, key: String)] = []
    if let key = try text(of: "by", arguments) { asked.append(("by", key)) }
    asked += summary.question.conditions.map { ("where", $0.key) }
    for key in try texts(of: "require", arguments) { asked.append(("require", key)) }
    if let key = try text(of: "duration", arguments) { asked.append(("duration", key)) }
    let keys = summary.keys
    let fields = summary.fields(of: summary.all).map(\.name)
    if keys.isEmpty { return }
    for (option, key) in asked {
      let isNumber = option == "duration" && summary.all.entries > 0 && !summary.isBounded
      if isNumber ? fields.contains(key) : keys.contains(key) { continue }
      let what = isNumber && keys.contains(key) ? "a number under" : "the key"
      let near = nearest(to: key, in: isNumber ? fields : keys)
      Tool.topic.note(
        "no entry has \(what) \(Bytes(key).quotedForMessage) (--\(option))"
          + (near.map { "; did you mean \(Bytes($0).quotedForMessage)?" } ?? ""))
    }
  }

  private static func checkIsThere(_ file: MetricsFile) throws(Failure) {
    do throws(SystemError) {
      _ = try FileStatus.ofLink(file.path)
      return
    } catch {
      if error.errno != .notFound { throw Failure(error, otherwise: .inputOutput) }
    }
    // Between a rotation and the next entry there is no FILE.
    if try !attempt(file.segments(), otherwise: .inputOutput).isEmpty { return }
    throw Failure(
      .noInput, "cannot open \(file.path.bytes.quotedForMessage): there are no such metrics",
      advice: "check the spelling; topic metrics append makes it")
  }

  private static func summarize(_ file: MetricsFile, _ arguments: Arguments) throws(Failure) {
    let format = try arguments.choice("format", of: MetricsFormat.self) ?? .table
    var summary = MetricsSummary(try question(arguments))
    try checkIsThere(file)
    let reading = try attempt(summary.add(file), otherwise: .inputOutput)
    try noteMissingKeys(summary, arguments)
    let report = MetricsReport(summary, of: file.path, files: reading.files, cut: reading.cut)
    switch format {
    case .table: try printOut(report.table)
    case .json: try printOut(report.json)
    case .html: try printOut(report.html)
    }
  }

  private static func aggregate(_ file: MetricsFile, _ arguments: Arguments) throws(Failure) {
    guard let out = arguments.value(of: "out"), !out.isEmpty else {
      throw .usage("no --out", advice: "--out DIR says where the aggregates go")
    }
    let required = try texts(of: "require", arguments)
    let question = try question(
      arguments, by: MetricsAggregates.usualGroup,
      required: required.isEmpty ? ["status"] : required)
    let aggregates = MetricsAggregates(
      of: file, in: Path(out), question,
      duration: try text(of: "duration", arguments) ?? "duration")
    try checkIsThere(file)
    let update: MetricsAggregates.Update
    do throws(MetricsAggregates.Failure) {
      update = try aggregates.update(until: .now.advanced(byNanoseconds: 30_000_000_000))
    } catch {
      switch error {
      case .system(let error): throw Failure(error, otherwise: .cannotCreate)
      case .busy(let path):
        throw Failure(
          .temporary, "another process is at work in \(path.bytes.quotedForMessage)",
          advice: "try again")
      }
    }
    if let reason = update.rebuilt { Tool.topic.note("everything is read anew: \(reason)") }
    if update.summary.isBounded {
      Tool.topic.note("too many keys, groups or numbers: some are left out")
    }
    try noteMissingKeys(update.summary, arguments)
    if arguments.has("verbose") {
      Tool.topic.note(
        "\(update.new) entries read, \(update.summary.all.entries) in all,"
          + " \(update.summary.unreadable) unreadable, \(update.cut) cut at the end")
    }
  }

  // MARK: rotate

  private static func rotate(_ file: MetricsFile, _ arguments: Arguments) throws(Failure) {
    let bytes = try arguments.size("max-bytes")
    let lines = try arguments.number("max-lines", in: 1...1_000_000_000)
    let limit: MetricsFile.Limit
    switch (bytes, lines) {
    case (let bytes?, nil): limit = .bytes(max(UInt64(bytes), 1))
    case (nil, let lines?): limit = .lines(lines)
    default: throw .usage("--max-bytes or --max-lines, one of them, says when FILE is full")
    }
    try checkIsThere(file)
    let deadline = Instant.now.advanced(byNanoseconds: 30_000_000_000)
    if let segment = try attempt(file.rotate(limit, until: deadline), otherwise: .inputOutput) {
      try printOut(segment.bytes + [.newline])
    }
  }
}
