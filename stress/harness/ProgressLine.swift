import POSIX

/// How far a run has come, on one line of a terminal; nothing elsewhere.
final class ProgressLine {
  private let isShown = StandardStream.error.isTerminal
  private var next = Instant.now
  private var isDirty = false

  /// Shows it anew, ten times a second at most.
  func show(_ run: StressRun) {
    guard isShown, Instant.now >= next else { return }
    next = Instant.now.advanced(byNanoseconds: 100_000_000)
    let width = (StandardStream.error.columns ?? 80) - 1
    write("\r\u{1B}[2K" + String(line(run).prefix(width)))
    isDirty = true
  }

  /// Takes it away.
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
    parts.append(violations == 0 ? "no violation" : "\(violations) violations")
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

extension Int {
  /// With a comma after every three digits.
  var grouped: String {
    var text = ""
    for (index, digit) in String(self).reversed().enumerated() {
      if index > 0, index % 3 == 0, digit != "-" { text.append(",") }
      text.append(digit)
    }
    return String(text.reversed())
  }

  /// Seconds as `45 s`, `3 min 20 s` or `2 h 5 min`.
  var asTime: String {
    if self < 60 { return "\(self) s" }
    if self < 3_600 { return "\(self / 60) min \(self % 60) s" }
    return "\(self / 3_600) h \(self / 60 % 60) min"
  }
}
