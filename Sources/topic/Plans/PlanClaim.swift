import CommandLine
import JSON
import POSIX
import Plans
import TopicAllocation

extension PlanCommand {
  static func claim(_ store: PlanStore, _ arguments: Arguments) throws(Failure) {
    let format = try arguments.choice("format", of: PlanFormat.self) ?? .json
    let worker = try worker(arguments)
    let lease = try arguments.number("lease", in: 1...1_000_000_000)
    let (contents, claim) = try update(store, arguments) { contents in
      contents.state.claim(worker, lease: lease, at: .now, contents.plan)
    }
    switch claim {
    case .task(let place, let holder):
      let task = contents.plan.tasks[place]
      if let holder {
        Tool.topic.note(
          "task '\(task.id)' is taken over from \(Bytes(holder).quotedForMessage),"
            + " whose lease ran out")
      }
      do throws(Failure) {
        try printOut(claimed(place, holder, contents, format))
      } catch {
        throw Failure(
          error.code, error.message.map { "\($0); task '\(task.id)' is claimed all the same" },
          advice: "claim again as the same worker to get it")
      }
    case .nothingNow: throw Failure(.negative, nothingNow(contents))
    case .blocked(let places):
      let ids = places.map { "'\(contents.plan.tasks[$0].id)'" }
      throw Failure(
        .negative,
        "nothing can be claimed any more: \(list(ids)) failed, and the rest waits for that",
        advice:
          "topic plan release --force \(String(decoding: store.path.bytes.quotedForShell, as: UTF8.self))"
          + " \(contents.plan.tasks[places[0]].id)")
    case .allDone: throw Failure(.complete, nil)
    }
  }

  private static func list(_ ids: [String]) -> String {
    ids.prefix(5).joined(separator: ", ") + (ids.count > 5 ? " and \(ids.count - 5) more" : "")
  }

  private static func nothingNow(_ contents: PlanStore.Contents) -> String {
    let held = contents.state.records.indices.filter {
      contents.state.records[$0].status == .claimed
    }
    let first = held.min {
      (contents.state.records[$0].leaseUntil ?? .now)
        < (contents.state.records[$1].leaseUntil ?? .now)
    }
    guard let first else { return "nothing can be claimed now" }
    let record = contents.state.records[first]
    return
      "nothing can be claimed now: \(held.count) task\(held.count == 1 ? " is" : "s are") held;"
      + " the first lease, of \(Bytes(record.worker ?? "").quotedForMessage) on"
      + " '\(contents.plan.tasks[first].id)', ends \(record.leaseUntil?.rfc3339 ?? "")"
  }

  private static func claimed(
    _ place: Int, _ holder: String?, _ contents: PlanStore.Contents, _ format: PlanFormat
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

  // MARK: done, fail, release

  static func end(_ store: PlanStore, _ name: String, _ arguments: Arguments) throws(Failure) {
    let format = try arguments.choice("format", of: PlanFormat.self) ?? .text
    let status: PlanState.Status = name == "done" ? .done : name == "fail" ? .failed : .pending
    let isForced = arguments.has("force")
    let worker = isForced && !arguments.has("worker") ? "" : try worker(arguments)
    let operand = arguments.operands[2]
    let id = String(decoding: operand, as: UTF8.self)
    let (contents, result) = try update(store, arguments) { contents in
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
    guard let place else { throw unknown(operand, contents.plan) }
    try printOut(ended(place, contents, format))
  }

  private static func unknown(_ operand: Bytes, _ plan: Plan) -> Failure {
    let ids = plan.tasks.map(\.id)
    let near =
      ids.count < 1_000 ? nearest(to: String(decoding: operand, as: UTF8.self), in: ids) : nil
    return Failure(
      .noInput,
      "no task \(operand.quotedForMessage) in the plan"
        + (near.map { "; did you mean '\($0)'?" } ?? ""))
  }

  private static func refused(
    _ refusal: PlanState.Refusal, _ id: String, _ contents: PlanStore.Contents
  ) -> Failure {
    let place = contents.plan.tasks.firstIndex { $0.id == id } ?? 0
    let record = contents.state.records[place]
    let holder = Bytes(record.worker ?? "").quotedForMessage
    switch refusal {
    case .isDone:
      return Failure(
        .noPermission, "task '\(id)' was done by \(holder)",
        advice: "write what is left to do as another task of the plan")
    case .isPending: return Failure(.noPermission, "task '\(id)' is held by nobody")
    case .notHolder:
      let fact =
        switch record.status {
        case .pending: "is held by nobody"
        case .claimed: "is held by \(holder) until \(record.leaseUntil?.rfc3339 ?? "")"
        case .done: "was done by \(holder)"
        case .failed: "failed, in the hands of \(holder)"
        }
      let advice =
        switch record.status {
        case .pending: "claim it first"
        case .claimed: "only the holder of the lease says how a task ended"
        case .done: nil as String?
        case .failed: "release it with --force, and claim it"
        }
      return Failure(.noPermission, "task '\(id)' \(fact)", advice: advice)
    }
  }

  private static func ended(
    _ place: Int, _ contents: PlanStore.Contents, _ format: PlanFormat
  ) -> Bytes {
    let task = contents.plan.tasks[place]
    let record = contents.state.records[place]
    let done = contents.state.count(.done)
    guard format == .json else {
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

  // MARK: both

  private static func worker(_ arguments: Arguments) throws(Failure) -> String {
    guard let worker = arguments.value(of: "worker") else {
      throw .usage("no --worker", advice: "give each worker a name of its own, such as --worker $$")
    }
    if worker.isEmpty {
      throw .usage(
        "the name of the worker is an empty string", advice: "check the variable that it comes from"
      )
    }
    guard UTF8Decoder.isValid(worker) else {
      throw Failure(.data, "--worker \(worker.quotedForMessage) is not UTF-8, as JSON has to be")
    }
    return String(decoding: worker, as: UTF8.self)
  }

  private static func update<Result>(
    _ store: PlanStore, _ arguments: Arguments, _ change: (inout PlanStore.Contents) -> Result
  ) throws(Failure) -> (contents: PlanStore.Contents, result: Result) {
    let timeout = try arguments.seconds("timeout") ?? 30_000_000_000
    let deadline = Instant.now.advanced(byNanoseconds: timeout)
    do throws(PlanStore.Failure) {
      let outcome = try store.update(until: deadline, change)
      store.tell(outcome.contents.state.edit)
      return outcome
    } catch {
      throw Failure(error, store.path)
    }
  }
}
