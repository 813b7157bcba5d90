import JSON
import POSIX
import Plans

/// The progress of a plan at one moment, for people and for programs.
struct PlanView {
  let plan: Plan
  let state: PlanState
  private let now = WallTime.now

  init(_ contents: PlanStore.Contents) {
    plan = contents.plan
    state = contents.state
  }

  var isDone: Bool { state.count(.done) == plan.tasks.count }

  /// Whether nothing has changed but the time, and leases that were renewed.
  func isSame(as other: PlanView) -> Bool {
    plan.tasks.map(\.id) == other.plan.tasks.map(\.id)
      && zip(state.records, other.state.records).allSatisfy {
        $0.status == $1.status && $0.worker == $1.worker && $0.attempts == $1.attempts
      }
  }

  /// Goal, bar, counts, and one line for each task that is held or failed, up to `most`.
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
    let listed = state.records.indices.filter {
      [.claimed, .failed].contains(state.records[$0].status)
    }
    for place in listed.prefix(most) { text += line(place) + "\n" }
    if listed.count > most { text += "  and \(listed.count - most) more\n" }
    return Bytes(text)
  }

  private func line(_ place: Int) -> String {
    let record = state.records[place]
    let worker = (record.worker ?? "").quotedForMessage
    let id = plan.tasks[place].id
    guard record.status == .claimed else { return "  \(id) failed (worker \(worker))" }
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

  /// All of it, with every task.
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
