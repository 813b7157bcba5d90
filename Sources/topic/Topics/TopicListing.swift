import CommandLine
import JSON
import POSIX
import TopicAllocation

/// The formats of `topic list` and `topic find`.
enum ListFormat: String, CaseIterable {
  case table, json, jsonl, path, number
}

extension Option {
  /// How a list of topics is printed.
  static func listFormat(_ usual: ListFormat) -> Option {
    Option(
      "format", "f", .choice("FORMAT", ListFormat.self),
      help: """
        `table`, `json` (one array), `jsonl` (an object per line), `path` or `number` (one per line).
        The default is `\(usual.rawValue)`.
        """)
  }
}

/// Topics with their ages and artifacts.
struct TopicListing {
  /// The topics, in order.
  let topics: [Topic]
  private let now = WallTime.now

  init(_ topics: [Topic]) {
    self.topics = topics
  }

  func print(_ format: ListFormat) throws(Failure) {
    switch format {
    case .table: try printTable()
    case .json, .jsonl: try printJSON(format == .json ? .indented : .compact)
    case .path:
      if topics.count > 1 {
        for topic in topics { try TopicFormat.path.check(topic.path, topics: topics.count) }
      }
      try printLines { $0.path.bytes }
    case .number: try printLines { $0.digits }
    }
  }

  private func printLines(_ text: (Topic) -> Bytes) throws(Failure) {
    try printOut(topics.reduce(into: Bytes()) { $0 += text($1) + Bytes("\n") })
  }

  /// Aligned and with a header on a terminal; elsewhere, with tabs between the columns.
  private func printTable() throws(Failure) {
    var rows = topics.map { topic in
      let status = try? FileStatus.of(topic.path)
      return [
        topic.digits.printable, topic.name.printable, status.map { age($0.modified) } ?? "?",
        artifacts(of: topic, status).map { kind, count in
          "\(kind.rawValue) \(count.map(String.init) ?? "?")"
        }.joined(separator: ", "),
      ]
    }
    guard StandardStream.output.isTerminal else {
      let lines = rows.map { $0.joined(separator: "\t") + "\n" }
      return try printOut(lines.joined())
    }
    rows.insert(["NUMBER", "NAME", "AGE", "ARTIFACTS"], at: 0)
    let widths = (0..<4).map { column in rows.map { $0[column].count }.max() ?? 0 }
    for row in rows {
      let cells = zip(row, widths).map { cell, width in
        cell + String(repeating: " ", count: width - cell.count)
      }
      var line = cells.joined(separator: "  ").prefix(StandardStream.output.columns ?? .max)
      while line.last == " " { line.removeLast() }
      try printOut(line + "\n")
    }
  }

  private func printJSON(_ layout: JSONWriter.Layout) throws(Failure) {
    for topic in topics { try TopicFormat.json.check(topic.path, topics: topics.count) }
    var json = JSONWriter(layout)
    if layout == .indented {
      json.array { json in for topic in topics { describe(topic, &json) } }
      json.endLine()
    } else {
      for topic in topics {
        describe(topic, &json)
        json.endLine()
      }
    }
    try printOut(json.text)
  }

  private func describe(_ topic: Topic, _ json: inout JSONWriter) {
    json.object { json in
      json.member("topic_number", topic.digits)
      json.member("topic_name", topic.name)
      json.member("topic_path", topic.path.bytes)
      let status = try? FileStatus.of(topic.path)
      if let modified = status?.modified {
        json.member("modified", Bytes(modified.rfc3339))
        json.member("age_seconds", max(now.secondsSince1970 - modified.secondsSince1970, 0))
      }
      json.key("artifacts")
      json.object { json in
        for (kind, count) in artifacts(of: topic, status) {
          json.key(kind.rawValue)
          json.number(count)
        }
      }
    }
  }

  /// The time since then, in its largest unit: `3d`.
  private func age(_ modified: WallTime) -> String {
    let seconds = max(now.secondsSince1970 - modified.secondsSince1970, 0)
    let units = [(86_400 * 365, "y"), (86_400, "d"), (3_600, "h"), (60, "m")]
    for (unit, name) in units where seconds >= unit { return "\(seconds / unit)\(name)" }
    return "\(seconds)s"
  }

  /// How many artifacts of each kind there are; nil if they cannot be read. Kinds without a directory are
  /// left out.
  private func artifacts(
    of topic: Topic, _ status: FileStatus?
  ) -> [(kind: ArtifactKind, count: Int?)] {
    // Where links are counted, a directory with two (its name and its `.`) has no subdirectories.
    if let status, status.kind != .directory || status.links == 2 { return [] }
    return ArtifactKind.allCases.compactMap { kind in
      var count = 0
      do throws(SystemError) {
        let directory = try Descriptor(
          opening: topic.path.appending(kind.rawValue), .directoryNoLink)
        try directory.forEachEntry { entry, _ in
          if entry.first != UInt8(ascii: ".") { count += 1 }
        }
        return (kind, count)
      } catch {
        return [.notFound, .notDirectory, .linkLoop].contains(error.errno) ? nil : (kind, nil)
      }
    }
  }
}

extension Command {
  /// The topics of the root that the operand names, or of the detected root.
  static func topics(in operand: Bytes?, _ style: Style) throws(Failure) -> [Topic] {
    let root = try root(operand)
    if operand == nil, !root.exists { return [] }
    return try attempt(root.topics(style), otherwise: .inputOutput)
  }
}
