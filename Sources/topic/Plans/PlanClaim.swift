import CommandLine
import JSON
import POSIX
import Plans

extension Command {
  static let planClaim = Command(
    "claim", "take a task to work on, and print it",
    Syntax(
      .plan, required: [.worker],
      options: [
        Option(
          "lease", .text("SECS"),
          help: """
            Let other workers take the task over after SECS seconds (default: the timeout of the
            task). Claim again to extend the lease.
            """),
        Option(
          "format", "f", .choice("FORMAT", ReportFormat.self), help: "`json` (default) or `text`."),
        .lockTimeout,
      ],
      text: """
        Gives the worker W a task of PLAN, and prints it. If W has a task already, that task gets a
        new lease. Otherwise W gets the first task that can begin, or else the first task whose
        lease has expired. A message names the worker that held it.

        No two workers get the same task. If there is none now, the exit status is 1; if all tasks
        are done, it is 2. If all that are left wait for tasks that failed, a message names these,
        and the exit status is 1.

        The JSON has the keys of `topic plan show`, and `worker`, `lease_until`, `reclaimed`
        (whether the task was taken over; if so, also `reclaimed_from`) and `attempts`.

        A lease ends with a whole second, so it can last a second longer. The clock of the machine
        (CLOCK_REALTIME) decides: setting it forward ends leases early.
        """,
      examples: """
        while :; do
          task=$(topic plan claim --worker "$$" PLAN.md)
          case $? in 0) ;; 1) sleep 5; continue ;; *) break ;; esac
          id=$(jq -r .id <<<"$task")
          if ./work "$task"; then end='done'; else end=fail; fi
          topic plan "$end" --worker "$$" PLAN.md "$id"
        done
        """)
  ) { arguments throws(Failure) in
    let store = try PlanStore.withState(arguments)
    let format = try arguments.choice("format", of: ReportFormat.self) ?? .json
    let worker = try arguments.worker()
    let lease = try arguments.number("lease", in: 1...1_000_000_000)
    let (contents, claim) = try store.update(arguments) { contents in
      contents.state.claim(worker, lease: lease, at: .now, contents.plan)
    }
    switch claim {
    case .task(let place, let holder):
      let id = contents.plan.tasks[place].id
      if let holder {
        Tool.topic.note(
          "task '\(id)' is taken over from \(holder.quotedForMessage), whose lease has expired")
      }
      do throws(Failure) {
        try printOut(text(place, reclaimedFrom: holder, contents, format))
      } catch {
        throw Failure(
          error.code, error.message.map { "\($0); task '\(id)' is still claimed" },
          advice: "claim again as the same worker to get it")
      }
    case .nothingNow: throw Failure(.negative, nothingNow(contents))
    case .blocked(let places):
      let ids = places.map { contents.plan.tasks[$0].id }
      let plan = store.path.bytes.wordForHint ?? "PLAN"
      throw Failure(
        .negative,
        "no task can be claimed: \(quoted(ids)) failed,"
          + " and the others wait for \(ids.count == 1 ? "it" : "them")",
        advice: "to try again, run: topic plan release --force \(plan) \(ids[0])")
    case .allDone: throw Failure(.complete, nil)
    }
  }
}

private func quoted(_ ids: [String]) -> String {
  ids.prefix(5).map { "'\($0)'" }.joined(separator: ", ")
    + (ids.count > 5 ? " and \(ids.count - 5) more" : "")
}

private func nothingNow(_ contents: PlanStore.Contents) -> String {
  let records = contents.state.records
  let held = records.indices.filter { records[$0].status == .claimed }
  let first = held.min {
    (records[$0].leaseUntil ?? .now) < (records[$1].leaseUntil ?? .now)
  }
  guard let first else { return "no task can be claimed now" }
  let holder = (records[first].worker ?? "").quotedForMessage
  return "no task can be claimed now: \(held.count) task\(held.count == 1 ? " is" : "s are") held;"
    + " the first lease to expire is that of \(holder) on '\(contents.plan.tasks[first].id)',"
    + " at \(records[first].leaseUntil?.rfc3339 ?? "")"
}

private func text(
  _ place: Int, reclaimedFrom holder: String?, _ contents: PlanStore.Contents,
  _ format: ReportFormat
) -> Bytes {
  let task = contents.plan.tasks[place]
  let record = contents.state.records[place]
  let until = record.leaseUntil?.rfc3339 ?? ""
  guard format == .json else {
    let instructions = contents.plan.instructions(task)
    return Bytes("\(task.title)\nlease until \(until)\n")
      + (instructions.isEmpty ? [] : Bytes("\n") + instructions + Bytes("\n"))
  }
  var json = JSONWriter(.indented)
  json.object { json in
    contents.plan.write(task, &json) { _ in }
    json.member("worker", record.worker ?? "")
    json.member("lease_until", until)
    json.member("reclaimed", holder != nil)
    if let holder { json.member("reclaimed_from", holder) }
    json.member("attempts", record.attempts)
  }
  json.endLine()
  return json.text
}
