import POSIX

/// The progress of a run, on one line of standard error if that is a terminal.
final class ProgressLine {
  private let isShown = StandardStream.error.isTerminal
  private var next = Instant.now
  private var isDirty = false

  /// Updates the line, at most ten times a second.
  func show(_ run: StressRun) {
    guard isShown, Instant.now >= next else { return }
    next = Instant.now + .milliseconds(100)
    let width = (StandardStream.error.columns ?? 80) - 1
    write("\r\u{1B}[2K" + String(line(run).prefix(width)))
    isDirty = true
  }

  /// Erases the line.
  func clear() {
    if isDirty { write("\r\u{1B}[2K") }
    isDirty = false
  }

  private func write(_ text: String) { try? StandardStream.error.writeAll(Bytes(text)) }

  private func line(_ run: StressRun) -> String {
    let elapsed = Double(run.checkpoint.elapsed) / 1e9
    let done = run.checkpoint.iterations
    let rate = Double(run.statistics.acknowledged) / max(elapsed, 1e-9)
    let violations = run.checkpoint.verdicts.total
    var parts = ["iteration \(done)" + (run.request.iterations.map { " of \($0)" } ?? "")]
    parts.append("\(Int(rate).grouped) allocations/s")
    parts.append(violations == 0 ? "no violation" : violations.counted("violation"))
    if let left = timeLeft(run, elapsed) { parts.append("\(left) left") }
    return parts.joined(separator: ", ")
  }

  private func timeLeft(_ run: StressRun, _ elapsed: Double) -> String? {
    let byTime = run.request.duration.map { Double($0) / 1e9 - elapsed }
    let byCount = run.request.iterations.map {
      elapsed / Double(max(run.checkpoint.iterations, 1)) * Double($0 - run.checkpoint.iterations)
    }
    guard let seconds = [byTime, byCount].compactMap({ $0 }).min() else { return nil }
    return Int(max(seconds, 0)).asTime
  }
}
