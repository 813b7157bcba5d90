import CommandLine
import JSON
import POSIX
import Plans

extension PlanCommand {
  static func status(_ store: PlanStore, _ arguments: Arguments) throws(Failure) {
    let format = try arguments.choice("format", of: PlanFormat.self) ?? .text
    guard arguments.has("watch") else {
      let view = PlanView(try store.contents())
      store.tell(view.state.edit)
      return try printOut(format == .json ? view.json(.indented) : view.text(most: .max))
    }
    TerminationSignals.hold()
    if format == .text, StandardStream.output.isTerminal {
      try draw(store)
    } else {
      try printChanges(store, format)
    }
  }

  private static let pace: UInt64 = 500_000_000

  /// Waits for the next look; false when the user wants to end.
  private static func waitsForNext() -> Bool {
    let next = Instant.now.advanced(byNanoseconds: pace)
    while Instant.now < next, !TerminationSignals.isWaiting {
      Instant.sleep(nanoseconds: 20_000_000)
    }
    return !TerminationSignals.isWaiting
  }

  private static func printChanges(_ store: PlanStore, _ format: PlanFormat) throws(Failure) {
    var last: PlanView?
    repeat {
      let view = PlanView(try store.contents())
      if last?.isSame(as: view) != true {
        try printOut(format == .json ? view.json(.compact) : view.text(most: .max) + Bytes("\n"))
      }
      last = view
      if view.isDone { return }
    } while waitsForNext()
  }

  /// Draws in place, with the cursor hidden meanwhile, until all is done. What was drawn last stays.
  private static func draw(_ store: PlanStore) throws(Failure) {
    try printRaw(Bytes("\u{1B}[?25l"))
    defer { try? StandardStream.output.writeAll(Bytes("\u{1B}[?25h")) }
    var height = 0
    repeat {
      let view: PlanView
      do throws(PlanStore.Failure) { view = PlanView(try store.load()) } catch {
        // An editor may be at it. What else is wrong does not go away by itself.
        guard case .defects = error, height > 0 else { throw Failure(error, store.path) }
        continue
      }
      let rows = StandardStream.output.rows ?? 24
      let columns = StandardStream.output.columns ?? 80
      let lines = view.text(most: max(rows - 5, 1)).split(separator: .newline)
      // To the first line of what is there; each line is replaced, and what is below is cleared.
      var frame = Bytes(height > 0 ? "\u{1B}[\(height)A\r" : "\r")
      for line in lines { frame += line.fitting(columns) + Bytes("\u{1B}[K\n") }
      try printRaw(frame + Bytes("\u{1B}[J"))
      height = lines.count
      if view.isDone { return }
    } while waitsForNext()
  }
}

extension ArraySlice<UInt8> {
  /// As many characters as the terminal has columns; a line that wraps would take two rows.
  fileprivate func fitting(_ columns: Int) -> Bytes {
    Bytes(String(String(decoding: self, as: UTF8.self).prefix(Swift.max(columns - 1, 1))))
  }
}

/// How far a plan has come at a moment, as people and programs want to see it.
private struct PlanView {
  let plan: Plan
  let state: PlanState
  private let now = WallTime.now

  init(_ contents: PlanStore.Contents) {
    plan = contents.plan
    state = contents.state
  }

  var isDone: Bool { state.count(.done) == plan.tasks.count }

  /// Whether nothing happened but that time passed and leases were renewed.
  func isSame(as other: PlanView) -> Bool {
    plan.tasks.map(\.id) == other.plan.tasks.map(\.id)
      && zip(state.records, other.state.records).allSatisfy {
        $0.status == $1.status && $0.worker == $1.worker && $0.attempts == $1.attempts
      }
  }

  /// Goal, bar, counts, and at most so many lines for tasks that are held or failed.
  func text(most: Int) -> Bytes {
    let total = plan.tasks.count
    let done = state.count(.done)
    let width = 30
    let full = done * width / max(total, 1)
    var text = "\(plan.goal.onOneLine)\n["
    text += String(repeating: "#", count: full) + String(repeating: ".", count: width - full)
    text += "] \(done) of \(total) done"
    for (status, word) in [(PlanState.Status.claimed, "held"), (.failed, "failed")] {
      let count = state.count(status)
      if count > 0 { text += ", \(count) \(word)" }
    }
    let ready = state.ready(plan).count
    text += ready > 0 ? ", \(ready) can be claimed\n" : "\n"
    let told = state.records.indices.filter {
      [.claimed, .failed].contains(state.records[$0].status)
    }
    for place in told.prefix(most) { text += line(place) + "\n" }
    if told.count > most { text += "  and \(told.count - most) more\n" }
    return Bytes(text)
  }

  private func line(_ place: Int) -> String {
    let record = state.records[place]
    let worker = Bytes(record.worker ?? "").quotedForMessage
    let id = plan.tasks[place].id
    guard record.status == .claimed else { return "  \(id) failed, in the hands of \(worker)" }
    let since = record.claimedAt.map { " for " + span(from: $0, to: now) } ?? ""
    let until = record.leaseUntil ?? now
    let lease =
      until <= now
      ? "; the lease ran out \(span(from: until, to: now)) ago"
      : "; the lease ends in " + span(from: now, to: until)
    return "  \(id) held by \(worker)\(since)\(lease)"
  }

  /// Such as `1 h 2 min`, `3 min 20 s` or `5 s`.
  private func span(from start: WallTime, to end: WallTime) -> String {
    let seconds = max(end.secondsSince1970 - start.secondsSince1970, 0)
    if seconds >= 3_600 { return "\(seconds / 3_600) h \(seconds / 60 % 60) min" }
    return seconds >= 60 ? "\(seconds / 60) min \(seconds % 60) s" : "\(seconds) s"
  }

  func json(_ layout: JSONWriter.Layout) -> Bytes {
    var json = JSONWriter(layout)
    json.object { json in
      json.member("goal", plan.goal)
      json.member("total", plan.tasks.count)
      for status in PlanState.Status.allCases { json.member(status.rawValue, state.count(status)) }
      json.member("ready", state.ready(plan).count)
      json.key("tasks")
      json.array { json in
        for (task, record) in zip(plan.tasks, state.records) {
          json.object { json in
            json.member("id", task.id)
            record.write(&json)
          }
        }
      }
    }
    json.endLine()
    return json.text
  }
}
