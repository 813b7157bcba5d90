import CommandLineTool
import JSON
import POSIX
import RunState

/// `metrics.jsonl`: a line for every run.
struct Metrics {
  let path: Path

  init(in runs: Path) {
    path = runs.appending("metrics.jsonl")
  }

  /// Appends the line of a run.
  func append(_ outcome: Outcome) throws(Failure) {
    var json = JSONWriter(.compact)
    outcome.write(to: &json, details: false)
    do throws(SystemError) {
      let file = try LineFile(opening: path)
      try file.append(json.text)
      try file.synchronize()
    } catch {
      throw Failure(error, otherwise: .inputOutput)
    }
  }

  /// The median of the last passed runs of this configuration, of their throughput as a share of the
  /// process starts; nil when there is none.
  func usualThroughput(_ configuration: String) throws(Failure) -> Double? {
    guard path.isReachable else { return nil }
    var summary = MetricsSummary(required: [])
    try add(to: &summary) {
      $0["configuration"]?.string == configuration && $0["status"]?.string == "passed"
    }
    return summary["relative_throughput"]?.medianOfLatest
  }

  /// All runs in sum.
  func summary() throws(Failure) -> MetricsSummary {
    var summary = MetricsSummary(required: Outcome.fields)
    _ = try attempt(FileStatus.of(path), otherwise: .inputOutput)
    try add(to: &summary) { _ in true }
    return summary
  }

  private func add(
    to summary: inout MetricsSummary, where isIncluded: (JSONValue) -> Bool
  ) throws(Failure) {
    do throws(SystemError) {
      try summary.add(LineFile(opening: path), where: isIncluded)
    } catch {
      throw Failure(error, otherwise: .inputOutput)
    }
  }
}

extension MetricsSummary {
  /// As a table: a row for every field that holds numbers.
  var text: String {
    var text = "\(entries.grouped) runs"
    if let successRate { text += ", \(Outcome.percent(successRate)) passed" }
    if let completeness { text += ", \(Outcome.percent(completeness)) with every field" }
    if unreadable > 0 { text += ", \(unreadable.grouped) lines cut or spoilt" }
    let head = ["", "mean", "first", "mean/first", "last 10", "latest/last 10"]
    let rows = fields.map { name, field in
      [
        name, number(field.mean), number(field.first), ratio(field.mean, field.first),
        number(field.medianOfLatest), ratio(field.latest.last ?? 0, field.medianOfLatest),
      ]
    }
    let widths = head.indices.map { column in
      ([head] + rows).map { $0[column].count }.max() ?? 0
    }
    let lines = ([head] + rows).map { row in
      row.indices.map { column in
        let space = String(repeating: " ", count: widths[column] - row[column].count)
        return column == 0 ? row[column] + space : space + row[column]
      }.joined(separator: "  ")
    }
    return ([text, ""] + lines).joined(separator: "\n") + "\n"
  }

  /// As an object.
  var json: Bytes {
    var json = JSONWriter(.indented)
    json.object { json in
      json.member("entries", entries)
      json.member("passed", passed)
      json.member("success_rate", successRate)
      json.member("completeness", completeness)
      json.member("unreadable", unreadable)
      json.key("fields")
      json.object { json in
        for (name, field) in fields {
          json.key(name)
          json.object { json in
            json.member("count", field.count)
            json.member("mean", field.mean)
            json.member("first", field.first)
            json.member("mean_against_first", quotient(field.mean, field.first))
            json.member("median_of_last_10", field.medianOfLatest)
            json.member(
              "latest_against_median", quotient(field.latest.last ?? 0, field.medianOfLatest))
          }
        }
      }
    }
    json.endLine()
    return json.text
  }

  private func quotient(_ value: Double, _ base: Double) -> Double? {
    base == 0 ? nil : value / base
  }

  private func ratio(_ value: Double, _ base: Double) -> String {
    quotient(value, base).map { number($0) } ?? "-"
  }

  /// Four digits or so.
  private func number(_ value: Double) -> String {
    if value == value.rounded(), abs(value) < 1e15 { return Int(value).grouped }
    let scale: Double = abs(value) < 10 ? 1_000 : abs(value) < 1_000 ? 10 : 1
    return "\((value * scale).rounded() / scale)"
  }
}
