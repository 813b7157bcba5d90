import JSON
import POSIX
import Runs

/// The summary of the entries so far and how far the files were read. `state.json` stores both, so
/// that a later update reads only what is new.
struct MetricsState {
  var summary: MetricsSummary
  var reading: MetricsReading

  /// The version of the format.
  private static let version = 1
  /// The range of a count. Sums and differences of two counts cannot overflow.
  fileprivate static let counts = 0...1 << 60

  init(summary: MetricsSummary, reading: MetricsReading) {
    self.summary = summary
    self.reading = reading
  }

  // MARK: Writing

  /// The contents of `state.json`.
  var text: Bytes {
    var json = JSONWriter(.compact)
    json.object { json in
      json.member("version", Self.version)
      json.key("question")
      write(summary.question, to: &json)
      json.objects("files", reading.positions) { json, position in position.write(to: &json) }
      json.member("complete", summary.complete)
      json.member("unreadable", summary.unreadable)
      json.strings("keys", summary.keys)
      json.key("present")
      json.array { json in for count in summary.present { json.number(count) } }
      if let baseline = summary.baseline { json.member("baseline", baseline) }
      json.key("all")
      write(summary.all, to: &json)
      json.key("until_baseline")
      write(summary.untilBaseline, to: &json, withBuckets: false)
      json.objects("groups", summary.groups) { json, group in
        json.member("value", group.value)
        json.key("tally")
        write(group.tally, to: &json)
      }
    }
    json.endLine()
    return json.text
  }

  private func write(_ question: MetricsSummary.Question, to json: inout JSONWriter) {
    json.object { json in
      if let by = question.by { json.member("by", by) }
      json.key("where")
      json.object { json in
        for condition in question.conditions { json.member(condition.key, condition.value) }
      }
      json.strings("required", question.required)
      json.strings("success", question.success)
    }
  }

  private func write(
    _ tally: MetricsTally, to json: inout JSONWriter, withBuckets: Bool = true
  ) {
    json.object { json in
      json.member("entries", tally.entries)
      json.member("passed", tally.passed)
      json.key("fields")
      json.array { json in
        for (name, field) in summary.fields(of: tally) {
          json.object { json in
            json.member("name", name)
            json.member("count", field.count)
            json.member("sum", field.sum)
            json.member("first", field.first)
            json.member("min", field.lowest)
            json.member("max", field.highest)
            json.member("whole", field.isWhole)
            json.member("incomplete", field.isIncomplete)
            guard withBuckets else { return }
            // One text: parsed, a JSON value for each number would take many times the memory.
            json.member(
              "buckets",
              field.buckets.reduce(into: Bytes()) { text, bucket in
                text.append("\(bucket.index) \(bucket.count) ")
              })
          }
        }
      }
    }
  }

  // MARK: Reading

  /// Reads ``text`` back; nil if it is damaged, or about another question.
  init?(_ json: JSONValue, _ question: MetricsSummary.Question) {
    guard json["version"]?.integer == Self.version,
      json["question"]?["by"]?.string == question.by,
      json["question"]?["where"]?.members
        == question.conditions.map({ JSONValue.Member($0.key, .string($0.value)) }),
      json["question"]?["required"]?.elements?.map(\.string) == question.required,
      json["question"]?["success"]?.elements?.map(\.string) == question.success,
      let complete = json["complete"]?.integer(in: Self.counts),
      let unreadable = json["unreadable"]?.integer(in: Self.counts),
      let keys = json["keys"]?.elements?.map({ $0.string ?? "" }),
      let present = json["present"]?.elements?.map({ $0.integer(in: Self.counts) ?? -1 }),
      present.count == question.required.count, !present.contains(-1), let all = json["all"],
      let before = json["until_baseline"], let groups = json["groups"]?.elements,
      let files = json["files"]?.elements
    else { return nil }
    let positions = files.compactMap { ReadPosition($0) }
    guard positions.count == files.count else { return nil }
    reading = MetricsReading(positions)
    summary = MetricsSummary(question)
    for key in keys { summary.meet(key) }
    summary.complete = complete
    summary.unreadable = unreadable
    summary.present = present
    summary.baseline = json["baseline"]?.string.map { Bytes($0) }
    guard let all = summary.restoredTally(all),
      let before = summary.restoredTally(before, withBuckets: false),
      before.entries <= all.entries, complete <= all.entries,
      present.allSatisfy({ $0 <= all.entries })
    else {
      return nil
    }
    (summary.all, summary.untilBaseline) = (all, before)
    for group in groups {
      guard let value = group["value"]?.string, let tally = group["tally"],
        let restored = summary.restoredTally(tally), restored.entries <= all.entries
      else { return nil }
      let index = summary.group(of: Bytes(value))
      summary.groups[index].tally = restored
    }
  }
}

extension MetricsSummary {
  /// Reads a tally back. A tally without buckets does not count against the limits on memory.
  fileprivate mutating func restoredTally(
    _ json: JSONValue, withBuckets: Bool = true
  ) -> MetricsTally? {
    guard let entries = json["entries"]?.integer(in: MetricsState.counts),
      let passed = json["passed"]?.integer(in: 0...entries), let fields = json["fields"]?.elements
    else { return nil }
    var tally = MetricsTally()
    (tally.entries, tally.passed) = (entries, passed)
    for entry in fields {
      // A sum too large for a double is null.
      guard let name = entry["name"]?.string,
        let count = entry["count"]?.integer(in: MetricsState.counts), count > 0,
        let sum = entry["sum"] == .null ? .nan : entry["sum"]?.double,
        let first = entry["first"]?.double,
        let lowest = entry["min"]?.double, let highest = entry["max"]?.double,
        lowest <= first, first <= highest,
        let key = scanner.number(of: Bytes(name)), fieldsLeft > 0 || !withBuckets
      else { return nil }
      var field = Histogram()
      field.count = count
      (field.sum, field.first, field.lowest, field.highest) = (sum, first, lowest, highest)
      field.isIncomplete = entry["incomplete"]?.bool == true
      if withBuckets {
        guard let text = entry["buckets"]?.string, restore(text, into: &field) else {
          return nil
        }
        let inBuckets = field.buckets.reduce(0) { $0 + $1.count }
        guard inBuckets == count || (field.isIncomplete && inBuckets < count) else {
          return nil
        }
        fieldsLeft -= 1
      }
      field.isWhole = entry["whole"]?.bool ?? false
      while tally.fieldsByKey.count <= key { tally.fieldsByKey.append(nil) }
      tally.fieldsByKey[key] = field
    }
    return tally
  }

  private mutating func restore(_ text: String, into field: inout Histogram) -> Bool {
    let words = text.utf8.split(separator: UInt8(ascii: " "))
    guard words.count % 2 == 0 else { return false }
    for place in stride(from: 0, to: words.count, by: 2) {
      guard let index = Int(Substring(words[place])),
        let count = UInt64(Substring(words[place + 1])),
        count > 0, field.restore(index, count, &rowsLeft)
      else { return false }
    }
    return true
  }
}
