import CommandLine
import JSON
import Metrics
import POSIX

/// The results of all runs, in `metrics.jsonl`: a line for each.
struct PastRuns {
  private let path: Path

  init(in runs: Path) {
    path = runs.appending("metrics.jsonl")
  }

  /// Appends the result of a run.
  func append(_ outcome: Outcome) throws(Failure) {
    var json = JSONWriter(.compact)
    outcome.write(to: &json, details: false)
    try attempt(MetricsFile(path).append(json.text), otherwise: .inputOutput)
  }

  /// How many of the latest runs a run is compared with.
  private static let recent = 10

  /// The median throughput of the latest passed runs of this configuration, as a share of the
  /// process starts; nil if there are none.
  func usualThroughput(_ configuration: String) throws(Failure) -> Double? {
    let question = MetricsSummary.Question(
      where: [.init("configuration", configuration), .init("status", "passed")],
      latest: Self.recent)
    return try summary(question).medianOfLatest("relative_throughput")
  }

  /// A summary of all runs.
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
  /// A table with a row for each numeric field.
  var text: String {
    var text = all.entries.counted("run")
    if let successRate = all.successRate { text += ", \(successRate.asPercent) passed" }
    if let completeness { text += ", \(completeness.asPercent) with every field" }
    if unreadable > 0 { text += ", \(unreadable.counted("line")) cut or damaged" }
    let head = ["", "mean", "first", "mean/first", "last 10", "latest/last 10"]
    let rows = fields(of: all).map { name, field in
      let recent = medianOfLatest(name) ?? 0
      return [
        name, field.mean.map(number) ?? "-", number(field.first),
        field.mean.map { ratio($0, field.first) } ?? "-",
        number(recent), ratio(latest(name).last ?? 0, recent),
      ]
    }
    return text + "\n\n" + alignedColumns([head] + rows)
  }

  /// The same values as a JSON object.
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
            json.member("latest_against_median", quotient(latest(name).last ?? 0, recent))
          }
        }
      }
    }
    json.endLine()
    return json.text
  }

  /// The median of the latest values of a field; nil if there are none.
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

  /// About four digits.
  private func number(_ value: Double) -> String {
    if value == value.rounded(), abs(value) < 1e15 { return Int(value).grouped }
    let scale: Double = abs(value) < 10 ? 1_000 : abs(value) < 1_000 ? 10 : 1
    return "\((value * scale).rounded() / scale)"
  }
}
