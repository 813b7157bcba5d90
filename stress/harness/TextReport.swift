import CommandLine
import Metrics
import POSIX

extension Outcome {
  /// The report that a run prints at its end.
  var text: String {
    [
      "Collision rate: \(verdicts.collisions)/\(statistics.acknowledged)"
        + " (\(collisionRate.asPercent))",
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
        let details = texts.map {
          "          " + $0.split(separator: "\n").joined(separator: "\n            ")
        }
        let more =
          count > texts.count ? ["          and \((count - texts.count).grouped) more"] : []
        return (["  FAILED  \(assertion.title): \(count.grouped)"] + details + more)
          .joined(separator: "\n")
      }
    }.joined(separator: "\n")
  }

  private var figures: String {
    var rows: [(String, String)] = []
    let calls =
      "\(statistics.calls.counted("call")), \(statistics.acknowledged.grouped) acknowledged"
    let others = [("killed", statistics.killed), ("refused", statistics.refused)]
      .filter { $0.1 > 0 }.map { ", \($0.1.grouped) \($0.0)" }
    rows.append(("Calls", calls + others.joined()))
    if let disturbance { rows.append(("Chaos", disturbance)) }
    let floor = relativeThroughput.map {
      ", \($0.asPercent) of the processes that can be started"
        + " (\(Int(checkpoint.floor).grouped)/s)"
    }
    rows.append(
      (
        "Throughput",
        "\(Int(throughput).grouped) allocations/s in \(seconds.asTime)" + (floor ?? "")
      ))
    if let speedAgainstEarlier {
      rows.append(("", "\(speedAgainstEarlier.asPercent) of the last runs' median"))
    }
    for (name, histogram) in [
      ("Latency", statistics.latency), ("Lock wait", statistics.waited),
      ("Lock held", statistics.held),
    ] where histogram.count > 0 {
      rows.append((name, histogram.percentiles))
    }
    rows.append(("Harness", "\(harnessShare.asPercent) of the processor time"))
    return rows.map { row in
      row.0 + String(repeating: " ", count: 12 - row.0.count) + row.1
    }.joined(separator: "\n")
  }

  /// What chaos did.
  var disturbance: String? {
    guard let chaos = run.chaos else { return nil }
    let tally = chaos.tally
    return chaos.kinds.map { kind in
      switch kind {
      case .kill: "\(tally.kills.counted("kill")) sent"
      case .syscallKill:
        "crash matrix: killed at \(tally.hit.count) of"
          + " \((run.matrixSize ?? 0).counted("system call"))"
      case .pause:
        "\(tally.pauses.counted("pause")),"
          + " \(tally.pausesOfHolder.grouped) of the holder of the lock"
      case .lockfile: "lock file deleted \(tally.lockFilesDeleted.counted("time"))"
      case .foreign: "\(tally.foreignActs.counted("act")) of a bystander"
      case .full: "disk nearly full"
      case .nofile: "\(tally.starved.counted("call")) short of descriptors"
      case .daemon: "git-daemon killed \(tally.daemonsKilled.counted("time"))"
      case .slow: "connections to the remote delayed by 10 to 99 ms"
      }
    }.joined(separator: "; ")
  }

  private var ending: String {
    var lines: [String] = []
    if let reason = run.stopReason {
      lines.append("Stopped early: \(reason).")
    } else if run.termination != nil {
      lines.append("Interrupted after \(checkpoint.iterations.counted("iteration")).")
    }
    if verdict != .passed { lines.append("Repeat with: \(command)") }
    if verdict == .interrupted {
      let directory = String(decoding: run.record.path.bytes.quotedForShell, as: UTF8.self)
      lines.append("Continue with: topic-stress --resume \(directory)")
    }
    let path = run.record.path.bytes.quotedForMessage
    return (lines + ["Kept in \(path)"]).joined(separator: "\n")
  }

}

extension Histogram {
  /// Percentiles of nanoseconds: `p50 1.200 ms   p95 …`.
  fileprivate var percentiles: String {
    let values = shownPercentiles + [("max", highest)]
    return values.map { "\($0.name) \(UInt64($0.value ?? 0).asMilliseconds)" }
      .joined(separator: "   ")
  }

  /// A bar chart of nanoseconds. Each row reaches up to twice the time of the one before.
  fileprivate var drawn: String {
    guard count > 0 else { return "" }
    var edges: [UInt64] = []
    var edge: UInt64 = 1_000
    while edge < UInt64.max / 2 {
      edges.append(edge)
      edge *= 2
    }
    let counts = counts(between: edges.map { Double($0) })
    guard let first = counts.firstIndex(where: { $0 > 0 }),
      let last = counts.lastIndex(where: { $0 > 0 }), let most = counts.max()
    else { return "" }
    let width = 48
    return (first...last).map { row in
      let label = row < edges.count ? "< \(edges[row].asRoundTime)" : "more"
      let length = (counts[row] * width + most - 1) / most
      let bar = String(repeating: "█", count: length)
      return "  " + label.padded(to: 9) + " │" + bar
        + (counts[row] > 0 ? " \(counts[row].grouped)" : "")
    }.joined(separator: "\n")
  }
}
