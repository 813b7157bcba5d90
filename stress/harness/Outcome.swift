import JSON
import Metrics
import POSIX

/// The outcome of a run, with the numbers of all its reports.
struct Outcome {
  /// How a run ended.
  enum Verdict: String {
    case passed, failed, interrupted
  }

  let run: StressRun
  /// The throughput as a share of the usual one; nil if there is no earlier run to compare with.
  let speedAgainstEarlier: Double?

  var checkpoint: RunRecord.Checkpoint { run.checkpoint }
  var statistics: Statistics { run.statistics }
  var verdicts: Verdicts { run.checkpoint.verdicts }

  var verdict: Verdict {
    if verdicts.total > 0 || run.stopReason != nil { return .failed }
    return run.termination == nil ? .passed : .interrupted
  }

  var seconds: Double { Double(checkpoint.elapsed) / 1e9 }
  /// Acknowledged allocations per second, over the whole run.
  var throughput: Double { Double(statistics.acknowledged) / max(seconds, 1e-9) }
  /// The throughput as a share of the processes that can be started in the same time.
  var relativeThroughput: Double? {
    checkpoint.floor > 0 ? throughput / checkpoint.floor : nil
  }
  /// The share of the acknowledged calls whose number another call has, too.
  var collisionRate: Double {
    Double(verdicts.collisions) / Double(max(statistics.acknowledged, 1))
  }
  /// The share of the harness in all processor time.
  var harnessShare: Double {
    let all = checkpoint.processorTime + checkpoint.processorTimeOfChildren
    return Double(checkpoint.processorTime) / Double(max(all, 1))
  }
  /// The command that repeats the run.
  var command: String {
    run.request.words.map { String(decoding: $0, as: UTF8.self) }.joined(separator: " ")
  }

  /// Whether an assertion holds; nil if the run does not tell.
  func holds(_ assertion: Assertion) -> Bool? {
    if verdicts.counts[assertion] != nil { return false }
    if statistics.calls == 0 { return nil }
    if assertion == .speed, speedAgainstEarlier == nil { return nil }
    if assertion == .exclusion, statistics.held.count == 0 { return nil }
    return true
  }

  /// The fields that each line of the metrics file must have.
  static let fields = [
    "run", "ended", "status", "configuration", "calls", "acknowledged", "collisions", "violations",
    "elapsed_s", "throughput_per_s", "floor_per_s", "relative_throughput", "latency_p50_ms",
    "latency_p99_ms", "harness_share",
  ]

  /// Writes an object: a line of the metrics file, or with `details` the result of `--format json`.
  func write(to json: inout JSONWriter, details: Bool) {
    json.object { json in
      json.member("run", run.record.id)
      json.member("ended", WallTime.now.rfc3339)
      json.member("status", verdict.rawValue)
      json.member("configuration", run.request.configuration)
      json.member("iterations", checkpoint.iterations)
      json.member("processes", run.request.processes)
      json.member("calls", statistics.calls)
      json.member("acknowledged", statistics.acknowledged)
      json.member("killed", statistics.killed)
      json.member("refused", statistics.refused)
      json.member("collisions", verdicts.collisions)
      json.member("collision_rate", collisionRate)
      json.member("violations", verdicts.total)
      json.member("resumes", checkpoint.resumes)
      json.member("elapsed_s", seconds)
      json.member("throughput_per_s", throughput)
      json.member("floor_per_s", checkpoint.floor)
      json.member("relative_throughput", relativeThroughput)
      json.member("harness_share", harnessShare)
      write(statistics.latency, "latency", to: &json)
      write(statistics.waited, "waited", to: &json)
      write(statistics.held, "held", to: &json)
      if details { writeDetails(to: &json) }
    }
    json.endLine()
  }

  private func write(_ histogram: Histogram, _ name: String, to json: inout JSONWriter) {
    guard histogram.count > 0 else { return }
    for (label, value) in histogram.shownPercentiles {
      json.member("\(name)_\(label)_ms", value.map { $0 / 1e6 })
    }
    json.member("\(name)_max_ms", histogram.highest / 1e6)
  }

  private func writeDetails(to json: inout JSONWriter) {
    json.key("assertions")
    json.object { json in
      for assertion in Assertion.allCases where assertion.isJudged(in: run.request.scope) {
        json.member(assertion.rawValue, holds(assertion).map { JSONValue.bool($0) } ?? .null)
      }
    }
    json.key("found")
    verdicts.writeTold(to: &json)
    if let reason = run.stopReason { json.member("stopped", reason) }
    json.member("command", command)
    json.member("directory", run.record.path.bytes)
  }
}
