import JSON
import POSIX

/// What came out of a run: the numbers of all its reports.
package struct Outcome {
  /// How a run ended.
  package enum Verdict: String {
    case passed, failed, interrupted
  }

  let run: StressRun
  /// The share of the earlier runs' speed that this one had; nil when there are none to compare with.
  let speedAgainstEarlier: Double?

  var checkpoint: RunRecord.Checkpoint { run.checkpoint }
  var statistics: Statistics { run.statistics }
  var verdicts: Verdicts { run.checkpoint.verdicts }

  package var verdict: Verdict {
    if verdicts.total > 0 || run.stopReason != nil { return .failed }
    return run.termination == nil ? .passed : .interrupted
  }

  /// The signal with which the user ended the run.
  package var termination: Signal? { run.termination }

  var seconds: Double { Double(checkpoint.elapsed) / 1e9 }
  /// Acknowledged allocations a second, over the whole time of the run.
  var throughput: Double { Double(statistics.acknowledged) / max(seconds, 1e-9) }
  /// Throughput as a share of the processes that can be started in that time.
  var relativeThroughput: Double? {
    checkpoint.floor > 0 ? throughput / checkpoint.floor : nil
  }
  /// Calls that got somebody else's number, as a share of those that got one.
  var collisionRate: Double {
    Double(verdicts.collisions) / Double(max(statistics.acknowledged, 1))
  }
  /// The harness's share of all processor time.
  var harnessShare: Double {
    let all = checkpoint.processorTime + checkpoint.processorTimeOfChildren
    return Double(checkpoint.processorTime) / Double(max(all, 1))
  }
  /// The command that repeats the run.
  var command: String {
    run.request.words.map { String(decoding: $0, as: UTF8.self) }.joined(separator: " ")
  }

  /// How an assertion came out: nil when nothing could be said of it.
  func holds(_ assertion: Assertion) -> Bool? {
    if verdicts.counts[assertion] != nil { return false }
    if statistics.calls == 0 { return nil }
    if assertion == .speed, speedAgainstEarlier == nil { return nil }
    if assertion == .exclusion, statistics.held.count == 0 { return nil }
    return true
  }

  /// What a line of the metrics file holds, in its order. These fields must be there.
  static let fields = [
    "run", "ended", "status", "configuration", "calls", "acknowledged", "collisions", "violations",
    "elapsed_s", "throughput_per_s", "floor_per_s", "relative_throughput", "latency_p50_ms",
    "latency_p99_ms", "harness_share",
  ]

  /// As an object: for the metrics file, and with more for `--format json`.
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
    for (label, share) in [("p50", 0.5), ("p95", 0.95), ("p99", 0.99)] {
      json.member("\(name)_\(label)_ms", Double(histogram.percentile(share)) / 1e6)
    }
    json.member("\(name)_max_ms", Double(histogram.highest) / 1e6)
  }

  private func writeDetails(to json: inout JSONWriter) {
    json.key("assertions")
    json.object { json in
      for assertion in Assertion.allCases where assertion.isJudged(in: run.request.scope) {
        json.member(assertion.rawValue, holds(assertion).map { JSONValue.bool($0) } ?? .null)
      }
    }
    json.key("found")
    json.array { json in
      for entry in verdicts.told {
        json.object { json in
          json.member("assertion", entry.assertion.rawValue)
          json.member("text", entry.text)
        }
      }
    }
    if let reason = run.stopReason { json.member("stopped", reason) }
    json.member("command", command)
    json.member("directory", run.record.path.bytes)
  }
}
