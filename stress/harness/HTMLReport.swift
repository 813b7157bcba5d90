import CommandLine
import Metrics
import POSIX

/// A web page about a run, without scripts and requests.
struct HTMLReport {
  private let outcome: Outcome

  init(_ outcome: Outcome) {
    self.outcome = outcome
  }

  private static let width = 960.0

  var text: String {
    let statistics = outcome.statistics
    var traces: [(String, Statistics.Trace)] = []
    if let first = statistics.first { traces.append(("The first iteration", first)) }
    for trace in statistics.slowest where trace.calls.first?.iteration != 1 {
      traces.append(("Iteration \(trace.calls.first?.iteration ?? 0), one of the slowest", trace))
    }
    let timelines = traces.map { "<h3>\($0.0.escapedForHTML)</h3>\n" + timeline($0.1) }
    return htmlPage(
      title: "topic-stress \(outcome.run.record.id): \(outcome.verdict.rawValue)",
      style: Self.style,
      body: """
        <h1>topic-stress <span class="\(outcome.verdict.rawValue)">\(outcome.verdict.rawValue)</span></h1>
        <p>\(outcome.run.request.configuration.escapedForHTML)<br>
        run \(outcome.run.record.id.escapedForHTML), \(System.kernel.escapedForHTML), \(System.processors) processors</p>
        <pre>\(outcome.text.escapedForHTML)</pre>
        <p>Repeat with <code>\(outcome.command.escapedForHTML)</code></p>
        <h2>Latency</h2>
        <p>The number of calls by their time from the barrier to the end of the process.</p>
        \(latencies)
        <h2>Throughput</h2>
        <p>Allocations per second over the time of the run.</p>
        \(throughput)
        <h2>Who held the lock when</h2>
        <p>A row for each process, from the barrier to its end; red while it held the lock.
        \(statistics.held.count == 0 ? "This allocator does not say when it holds the lock." : "")</p>
        \(timelines.joined(separator: "\n"))
        """)
  }

  private static let style = """
    :root { color-scheme: light dark; --bar: #4878a8; --hold: #d1495b; --line: #8888; }
    body { font: 16px/1.5 system-ui, sans-serif; max-width: 60rem; margin: 2rem auto; padding: 0 1rem; }
    h1 span { font-size: 60%; padding: .2em .6em; border-radius: .3em; color: #fff; }
    .passed { background: #2e7d4f; } .failed { background: #b3261e; } .interrupted { background: #8a6d1b; }
    pre { overflow-x: auto; font-size: 13px; line-height: 1.35; }
    svg { width: 100%; height: auto; font: 12px system-ui, sans-serif; }
    svg text { fill: currentColor; } svg .bar { fill: var(--bar); } svg .hold { fill: var(--hold); }
    svg .killed { fill: var(--line); } svg .axis { stroke: var(--line); }
    """

  // MARK: Plots

  private var latencies: String {
    let latency = outcome.statistics.latency
    guard latency.count > 0 else { return "<p>No call was acknowledged.</p>" }
    // Eight bars for every doubling of the time.
    let low = Self.exponent(of: UInt64(latency.lowest))
    let high = max(Self.exponent(of: UInt64(latency.highest)) + 1, low + 8)
    let edges = (low...high).map { Self.time($0) }
    let counts = Array(latency.counts(between: edges.map { Double($0) }).dropFirst().dropLast())
    let labels = stride(from: 0, through: counts.count, by: 8).map {
      (Double($0) / Double(counts.count), edges[$0].asMilliseconds)
    }
    return bars(counts.map { Double($0) }, labels: labels) { index in
      "\(edges[index].asMilliseconds) to \(edges[index + 1].asMilliseconds): \(counts[index])"
    }
  }

  private static func exponent(of time: UInt64) -> Int {
    var exponent = 0
    while Self.time(exponent + 1) <= time { exponent += 1 }
    return exponent
  }

  /// 2^(exponent/8) microseconds, in nanoseconds.
  private static func time(_ exponent: Int) -> UInt64 {
    let eighths = [1, 1.0905, 1.1892, 1.2968, 1.4142, 1.5422, 1.6818, 1.8340]
    return UInt64(1_000 * Double(UInt64(1) << UInt64(exponent / 8)) * eighths[exponent % 8])
  }

  private var throughput: String {
    let progress = outcome.statistics.progress
    guard !progress.bins.isEmpty else { return "<p>No call was acknowledged.</p>" }
    let seconds = Double(progress.width) / 1e9
    let rates = progress.bins.map { Double($0) / seconds }
    let whole = seconds * Double(rates.count)
    let labels = [0, 0.25, 0.5, 0.75, 1].map { ($0, (whole * $0).asTime) }
    return bars(rates, labels: labels) { index in
      "\((seconds * Double(index)).asTime): \(Int(rates[index]).grouped)/s"
    }
  }

  /// A bar chart.
  ///
  /// - Parameters:
  ///   - labels: Labels at places along the axis, from 0 to 1.
  ///   - title: The text that a bar shows under the pointer.
  private func bars(
    _ values: [Double], labels: [(Double, String)], title: (Int) -> String
  ) -> String {
    let height = 180.0
    let left = 60.0
    let most = max(values.max() ?? 0, 1e-9)
    let step = (Self.width - left) / Double(max(values.count, 1))
    var svg = "<svg viewBox=\"0 0 \(Int(Self.width)) 220\" role=\"img\">\n"
    svg +=
      "<line class=\"axis\" x1=\"\(left)\" y1=\"\(height)\" x2=\"\(Self.width)\" y2=\"\(height)\"/>\n"
    svg += "<text x=\"\(left - 6)\" y=\"12\" text-anchor=\"end\">\(Int(most).grouped)</text>\n"
    for (index, value) in values.enumerated() where value > 0 {
      let tall = max(value / most * (height - 4), 1)
      svg += Self.rectangle(
        "bar", left + Double(index) * step, height - tall, max(step - 0.5, 0.5), tall, title(index))
    }
    for (place, label) in labels {
      let anchor = place == 0 ? "start" : place == 1 ? "end" : "middle"
      let x = left + place * (Self.width - left)
      svg +=
        "<text x=\"\(Self.round(x))\" y=\"200\" text-anchor=\"\(anchor)\">\(label.escapedForHTML)</text>\n"
    }
    return svg + "</svg>"
  }

  private func timeline(_ trace: Statistics.Trace) -> String {
    let row = 14.0
    let left = 60.0
    let start = trace.calls.map(\.start).min() ?? 0
    let calls = trace.calls.prefix(50)
    let height = Double(calls.count) * row + 24
    let scale = (Self.width - left) / Double(max(trace.span, 1))
    func x(_ time: UInt64) -> Double { left + Double(time - min(start, time)) * scale }
    var svg = "<svg viewBox=\"0 0 \(Int(Self.width)) \(Int(height))\" role=\"img\">\n"
    for (index, call) in calls.enumerated() {
      let y = Double(index) * row
      svg +=
        "<text x=\"\(left - 6)\" y=\"\(y + row - 3)\" text-anchor=\"end\">\(call.process)</text>\n"
      let number =
        call.answer.map { "number \($0.number)" } ?? (call.isIndeterminate ? "killed" : "no number")
      svg += Self.rectangle(
        call.isIndeterminate ? "killed" : "bar", x(call.start), y + 4,
        Double(call.duration) * scale,
        row - 8, "\(call.title): \(call.duration.asMilliseconds), \(number)")
      if let lock = call.lock {
        svg += Self.rectangle(
          "hold", x(lock.held.lowerBound), y + 1, max(Double(lock.duration) * scale, 1), row - 2,
          "\(call.title) held the lock for \(lock.duration.asMilliseconds), \(number)")
      }
    }
    for (time, anchor) in [(0, "start"), (trace.span, "end")] {
      svg +=
        "<text x=\"\(Self.round(x(start + time)))\" y=\"\(height - 4)\" text-anchor=\"\(anchor)\">"
        + "\(time.asMilliseconds)</text>\n"
    }
    return svg + "</svg>"
  }

  private static func rectangle(
    _ kind: String, _ x: Double, _ y: Double, _ width: Double, _ height: Double, _ title: String
  ) -> String {
    "<rect class=\"\(kind)\" x=\"\(round(x))\" y=\"\(round(y))\" width=\"\(round(width))\""
      + " height=\"\(round(height))\"><title>\(title.escapedForHTML)</title></rect>\n"
  }

  private static func round(_ value: Double) -> Double { (value * 100).rounded() / 100 }
}
