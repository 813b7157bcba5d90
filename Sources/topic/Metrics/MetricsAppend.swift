import CommandLine
import JSON
import Metrics
import POSIX
import Runs

private enum Durability: String, CaseIterable {
  case each, never
}

extension Command {
  static let metricsAppend = Command(
    "append", "add entries",
    Syntax(
      .metricsFile, .any(.text("KEY=VALUE|JSON")),
      options: [
        Option(
          "sync", .choice("WHEN", Durability.self),
          help: """
            `each` (default): all entries are on disk before the command ends, and each batch of
            standard input as soon as it is written. `never`: the system decides when.
            """),
        Option(
          "skip-invalid",
          help: "Skip what is not a JSON object, and say so, instead of stopping."),
        Option(
          "verbose", "v",
          help: """
            Print how many entries were queued and written, in how many batches, and how many errors
            there were.
            """),
      ],
      text: """
        Adds one entry made of all KEY=VALUE pairs, or one for each JSON object, to FILE. Without
        either, each line of standard input is an entry. FILE and its directories are created if
        they are missing.

        Numbers, `true`, `false` and `null` keep their type; any other value is text. So is a number
        too large for a double, such as `12e4567`.

        Lines of standard input are written in batches: after 10,000 lines, 1 MiB or one second, at
        the end of input, and after a signal that asks the command to end. After such a signal, the
        command writes all complete lines that it has read.

        An entry that is not a JSON object is an error (65) that names its line or argument. The
        entries before it are written.
        """,
      examples: """
        topic metrics append "$run/metrics.jsonl" status=passed epoch=3 duration=12.5
        topic metrics append m.jsonl '{"status": "failed", "tokens": 900}'
        """)
  ) { arguments throws(Failure) in
    let file = try MetricsFile(arguments)
    let words = arguments.operands.dropFirst()
    let durability = try arguments.choice("sync", of: Durability.self) ?? .each
    // The first word decides; a later one of the other kind is an error that names it.
    let areObjects = words.first?.first.map { $0 == UInt8(ascii: "{") } ?? true
    let entries = try areObjects ? Array(words) : [entry(pairs: words)]
    var queue = try attempt(
      EventQueue(
        file.path, durability == .each ? .batch : .never, batch: 10_000, linger: .seconds(1)),
      otherwise: .cannotCreate)
    queue.requiresObjects = true
    try queue.append(entries, called: "entries", arguments)
  }
}

/// The entry made of these KEY=VALUE pairs, as JSON.
private func entry(pairs: ArraySlice<Bytes>) throws(Failure) -> Bytes {
  var members: [JSONValue.Member] = []
  for pair in pairs {
    guard let (key, value) = try keyAndValue(pair) else {
      throw .usage(
        "\(pair.quotedForMessage) is not KEY=VALUE",
        advice: "give KEY=VALUE pairs or JSON objects, not both; see 'topic help metrics append'")
    }
    if members.contains(where: { $0.key == key }) {
      throw .usage("\(Bytes(key).quotedForMessage) is given twice")
    }
    members.append(JSONValue.Member(key, typed(value)))
  }
  var json = JSONWriter(.compact)
  json.value(.object(members))
  return json.text
}

/// The value as JSON: a number, true, false or null, otherwise text.
private func typed(_ text: String) -> JSONValue {
  // With white space around it, a number is text.
  guard !text.utf8.contains(where: { $0 <= 0x20 }),
    let value = try? JSONValue(parsing: Bytes(text))
  else { return .string(text) }
  switch value {
  // A number too large for a double is more likely the name of a commit, such as 12e4567.
  case .number where value.double != nil, .bool, .null: return value
  default: return .string(text)
  }
}
