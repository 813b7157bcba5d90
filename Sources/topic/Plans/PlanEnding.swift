import CommandLine
import JSON
import POSIX
import Plans

/// Ends the work on the task that the command line names, and prints how it stands now.
func endTask(_ arguments: Arguments, as status: PlanState.Status) throws(Failure) {
  let store = try PlanStore.withState(arguments)
  let format = try arguments.choice("format", of: ReportFormat.self) ?? .text
  let isForced = arguments.has("force")
  let worker = try isForced && !arguments.has("worker") ? "" : arguments.worker()
  let operand = arguments.operands[1]
  let id = String(decoding: operand, as: UTF8.self)
  let (contents, result) = try store.update(arguments) { contents in
    Result<Int?, PlanState.Refusal> { () throws(PlanState.Refusal) in
      guard let place = contents.plan.tasks.firstIndex(where: { $0.id == id }) else { return nil }
      if isForced {
        try contents.state.forceRelease(place)
      } else {
        try contents.state.end(place, as: status, by: worker)
      }
      return place
    }
  }
  let place: Int?
  do throws(PlanState.Refusal) { place = try result.get() } catch {
    throw refused(error, id, contents)
  }
  guard let place else {
    throw Failure(
      .noInput,
      "no task \(operand.quotedForMessage) in the plan"
        + (contents.plan.task(like: id).map { "; did you mean '\($0.id)'?" } ?? ""))
  }
  try printOut(text(place, contents, format))
}

private func refused(
  _ refusal: PlanState.Refusal, _ id: String, _ contents: PlanStore.Contents
) -> Failure {
  let place = contents.plan.tasks.firstIndex { $0.id == id } ?? 0
  let record = contents.state.records[place]
  let holder = (record.worker ?? "").quotedForMessage
  let (fact, advice): (String, String?) =
    switch (refusal, record.status) {
    case (.isDone, _):
      ("was done by \(holder)", "add what is left to do to the plan, as another task")
    case (_, .done): ("was done by \(holder)", nil)
    case (.isPending, _): ("is not claimed", nil)
    case (_, .pending): ("is not claimed", "claim it first")
    case (_, .claimed):
      (
        "is held by \(holder) until \(record.leaseUntil?.rfc3339 ?? "")",
        "use that worker's name, or run 'topic plan release --force' first"
      )
    case (_, .failed):
      ("failed (worker \(holder))", "run 'topic plan release --force', then claim it")
    }
  return Failure(.noPermission, "task '\(id)' \(fact)", advice: advice)
}

private func text(
  _ place: Int, _ contents: PlanStore.Contents, _ format: ReportFormat
) -> Bytes {
  let task = contents.plan.tasks[place]
  let record = contents.state.records[place]
  guard format == .json else {
    let done = contents.state.count(.done)
    return Bytes(
      "\(task.id) \(record.status.rawValue), \(done) of \(contents.plan.tasks.count) done\n")
  }
  var json = JSONWriter(.indented)
  json.object { json in
    json.member("id", task.id)
    record.write(&json)
  }
  json.endLine()
  return json.text
}
