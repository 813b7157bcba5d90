import CommandLine
import POSIX

extension Outcome {
  /// What is printed at the end of a run.
  var text: String {
    [
      "Collision rate: \(verdicts.collisions)/\(statistics.acknowledged)"
        + " (\(Self.percent(collisionRate)))",
      assertions, figures, statistics.latency.drawn, ending,
    ].filter { !$0.isEmpty }.joined(separator: "\n\n") + "\n"
  }

  private var assertions: String {
    Assertion.allCases.filter {
      $0.isJudged(in: run.request.scope) && ($0 != .speed || holds($0) == false)
    }.map { assertion in
      switch holds(assertion) {
      case nil:
        return "  --      \(assertion.title): "
          + (statistics.calls > 0 ? "the allocator does not say when" : "nothing to judge")
      case true?: return "  ok      \(assertion.title)"
      case false?:
        let count = verdicts.counts[assertion] ?? 0
        let texts = verdicts.texts(of: assertion)
        let told = texts.map {
          "          " + $0.split(separator: "\n").joined(separator: "\n            ")
        }
        let more =
          count > texts.count ? ["          and \((count - texts.count).grouped) more"] : []
        return (["  FAILED  \(assertion.title): \(count.grouped)"] + told + more)
          .joined(separator: "\n")
      }
    }.joined(separator: "\n")
  }

  private var figures: String {
    var rows: [(String, String)] = []
    let calls = "\(statistics.calls.grouped) calls, \(statistics.acknowledged.grouped) acknowledged"
    let others = [("killed", statistics.killed), ("refused", statistics.refused)]
      .filter { $0.1 > 0 }.map { ", \($0.1.grouped) \($0.0)" }
    rows.append(("Calls", calls + others.joined()))
    if let disturbance { rows.append(("Chaos", disturbance)) }
    let floor = relativeThroughput.map {
      ", \(Self.percent($0)) of the processes that can be started"
        + " (\(Int(checkpoint.floor).grouped)/s)"
    }
    rows.append(
      (
        "Throughput",
        "\(Int(throughput).grouped) allocations/s in \(Self.time(seconds))" + (floor ?? "")
      ))
    if let speedAgainstEarlier {
      rows.append(("", "\(Self.percent(speedAgainstEarlier)) of the last runs' median"))
    }
    for (name, histogram) in [
      ("Latency", statistics.latency), ("Lock wait", statistics.waited),
      ("Lock held", statistics.held),
    ] where histogram.count > 0 {
      rows.append((name, histogram.percentiles))
    }
    rows.append(("Harness", "\(Self.percent(harnessShare)) of the processor time"))
    return rows.map { row in
      row.0 + String(repeating: " ", count: 12 - row.0.count) + row.1
    }.joined(separator: "\n")
  }

  /// What chaos did, in words.
  var disturbance: String? {
    guard let chaos = run.chaos else { return nil }
    let tally = chaos.tally
    return chaos.kinds.map { kind in
      switch kind {
      case .kill: "\(tally.kills.grouped) kills sent"
      case .syscallKill:
        "crash matrix: killed at \(tally.hit.count) of \(run.matrixSize ?? 0) system calls"
      case .pause:
        "\(tally.pauses.grouped) pauses, \(tally.pausesOfHolder.grouped) of the holder of the lock"
      case .lockfile: "lock file deleted \(tally.lockFilesDeleted.grouped) times"
      case .foreign: "\(tally.foreignActs.grouped) acts of a bystander"
      case .full: "a disk with room for some"
      case .nofile: "\(tally.starved.grouped) calls short of descriptors"
      case .daemon: "the daemon killed \(tally.daemonsKilled.grouped) times"
      case .slow: "each way to the remote 10 to 99 ms longer"
      }
    }.joined(separator: "; ")
  }

  private var ending: String {
    var lines: [String] = []
    if let reason = run.stopReason {
      lines.append("Stopped early: \(reason).")
    } else if run.termination != nil {
      lines.append("Interrupted after \(checkpoint.iterations.grouped) iterations.")
    }
    if verdict != .passed { lines.append("Repeat with: \(command)") }
    if verdict == .interrupted {
      lines.append("Go on with: topic-stress --resume \(shellQuoted(run.record.path.bytes))")
    }
    let path = run.record.path.bytes.quotedForMessage
    return (lines + ["Kept in \(path)"]).joined(separator: "\n")
  }

  private func shellQuoted(_ bytes: Bytes) -> String {
    String(decoding: bytes.quotedForShell, as: UTF8.self)
  }

  /// A share with as many digits as it is worth: `0%`, `0.04%`, `12%`.
  static func percent(_ share: Double) -> String {
    guard share.isFinite, abs(share) < 1e6 else { return "\(share)" }
    let value = share * 100
    if value == 0 || value >= 10 { return "\(Int(value.rounded()))%" }
    let scale: Double = value >= 1 ? 10 : 100
    let rounded = (value * scale).rounded() / scale
    return rounded == 0 ? "<0.01%" : "\(rounded)%"
  }

  /// Such as `0.25 s`, `12.5 s` or `3 min 20 s`.
  static func time(_ seconds: Double) -> String {
    if seconds >= 60 { return Int(seconds).asTime }
    let scale: Double = seconds < 10 ? 100 : 10
    return "\((seconds * scale).rounded() / scale) s"
  }
}

extension Histogram {
  /// Of nanoseconds: `p50 1.2 ms  p95 …`.
  fileprivate var percentiles: String {
    let values =
      [("p50", percentile(0.5)), ("p95", percentile(0.95)), ("p99", percentile(0.99))]
      + [("max", highest)]
    return values.map { "\($0.0) \($0.1.asMilliseconds)" }.joined(separator: "   ")
  }

  /// Of nanoseconds, as bars: every row up to twice the one before.
  fileprivate var drawn: String {
    guard count > 0 else { return "" }
    var edges: [UInt64] = []
    var edge: UInt64 = 1_000
    while edge < UInt64.max / 2 {
      edges.append(edge)
      edge *= 2
    }
    let counts = counts(between: edges)
    guard let first = counts.firstIndex(where: { $0 > 0 }),
      let last = counts.lastIndex(where: { $0 > 0 }), let most = counts.max()
    else { return "" }
    let width = 48
    return (first...last).map { row in
      let label = row < edges.count ? "< \(edges[row].asRoundTime)" : "more"
      let length = (counts[row] * width + most - 1) / most
      let bar = String(repeating: "█", count: length)
      return "  " + String(repeating: " ", count: max(9 - label.count, 0)) + label + " │" + bar
        + (counts[row] > 0 ? " \(counts[row].grouped)" : "")
    }.joined(separator: "\n")
  }
}

extension UInt64 {
  /// Nanoseconds, rounded to a unit: `512 µs`, `1 ms`, `33 s`.
  fileprivate var asRoundTime: String {
    if self < 1_000_000 { return "\(self / 1_000) µs" }
    if self < 1_000_000_000 { return "\(self / 1_000_000) ms" }
    return "\(self / 1_000_000_000) s"
  }
}
