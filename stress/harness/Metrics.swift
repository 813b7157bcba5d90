import CommandLine
import JSON
import Metrics
import POSIX

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
    try attempt(MetricsFile(path).append(json.text), otherwise: .inputOutput)
  }

  /// How many of the latest runs are set against the whole.
  static let recent = 10

  /// The median of the last passed runs of this configuration, of their throughput as a share of the
  /// process starts; nil when there is none.
  func usualThroughput(_ configuration: String) throws(Failure) -> Double? {
    let isMeant = MetricsSummary.Question(
      where: [.init("configuration", configuration), .init("status", "passed")],
      latest: Self.recent)
    return try summary(isMeant).medianOfLatest("relative_throughput")
  }

  /// All runs in sum.
  func summary() throws(Failure) -> MetricsSummary {
    _ = try attempt(FileStatus.of(path), otherwise: .inputOutput)
    return try summary(
      MetricsSummary.Question(required: Outcome.fields, success: ["passed"], latest: Self.recent))
  }

  private func summary(_ question: MetricsSummary.Question) throws(Failure) -> MetricsSummary {
    var summary = MetricsSummary(question)
    let cut = try attempt(summary.add(MetricsFile(path)), otherwise: .inputOutput).cut
    summary.addUnreadable(cut)
    return summary
  }
}

extension MetricsSummary {
  /// As a table: a row for every field that holds numbers.
  var text: String {
    var text = "\(all.entries.grouped) runs"
    if let successRate = all.successRate { text += ", \(Outcome.percent(successRate)) passed" }
    if let completeness { text += ", \(Outcome.percent(completeness)) with every field" }
    if unreadable > 0 { text += ", \(unreadable.grouped) lines cut or spoilt" }
    let head = ["", "mean", "first", "mean/first", "last 10", "latest/last 10"]
    let rows = fields(of: all).map { name, field in
      let recent = medianOfLatest(name) ?? 0
      return [
        name, field.mean.map(number) ?? "-", number(field.first),
        field.mean.map { ratio($0, field.first) } ?? "-",
        number(recent), ratio(latest(name).last ?? 0, recent),
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
      json.member("entries", all.entries)
      json.member("passed", all.passed)
      json.member("success_rate", all.successRate)
      json.member("completeness", completeness)
      json.member("unreadable", unreadable)
      json.key("fields")
      json.object { json in
        for (name, field) in fields(of: all) {
          let recent = medianOfLatest(name) ?? 0
          json.key(name)
          json.object { json in
            json.member("count", field.count)
            json.member("mean", field.mean)
            json.member("first", field.first)
            json.member("mean_against_first", field.mean.flatMap { quotient($0, field.first) })
            json.member("median_of_last_10", recent)
            json.member(
              "latest_against_median", quotient(latest(name).last ?? 0, recent))
          }
        }
      }
    }
    json.endLine()
    return json.text
  }

  /// The middle one of the latest values, or the mean of the middle two; nil when there is none.
  fileprivate func medianOfLatest(_ name: String) -> Double? {
    let sorted = latest(name).sorted()
    if sorted.isEmpty { return nil }
    let middle = sorted.count / 2
    return sorted.count % 2 == 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2
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
