import CommandLine
import POSIX
import Plans

extension Operand {
  /// The file of a plan.
  static let plan = Operand.one(.file("PLAN"))
  /// The ID of a task of that plan.
  static let task = Operand.one(.among("ID", taskIDs))

  /// Offers the task that the worker has; or else all that are claimed; or else all of the plan.
  /// With `--force`, offers those that can be released.
  private static func taskIDs(_ arguments: Arguments) -> [Candidate] {
    // A pipe is for the command itself.
    guard let path = arguments.operands.first.map({ Path($0) }),
      (try? FileStatus.of(path))?.kind == .file, let contents = try? PlanStore(path).load()
    else { return [] }
    let records = contents.state.records
    let worker = arguments.value(of: "worker").map { String(decoding: $0, as: UTF8.self) }
    let claimed = records.indices.filter { records[$0].status == .claimed }
    let fitting =
      arguments.has("force")
      ? [records.indices.filter { [.claimed, .failed].contains(records[$0].status) }]
      : [claimed.filter { records[$0].worker == worker }, claimed]
    let places = fitting.first { !$0.isEmpty } ?? Array(records.indices)
    return places.map { Candidate(contents.plan.tasks[$0].id, contents.plan.tasks[$0].description) }
  }
}

extension Option {
  /// Who works on a task.
  static let worker = Option(
    "worker", .text("W"), help: "The name of the worker. Each needs its own.")
}

extension Arguments {
  /// The value of ``Option/worker``.
  func worker() throws(Failure) -> String {
    guard let worker = try text("worker") else {
      throw .usage("no --worker and no --force")
    }
    if worker.isEmpty {
      throw .emptyString("the name of the worker")
    }
    return worker
  }
}

extension PlanStore {
  /// The plan that the first operand names; `-` is standard input.
  init(_ arguments: Arguments) throws(Failure) {
    let operand = arguments.operands[0]
    if operand.isEmpty {
      throw .emptyString("PLAN")
    }
    let path = Path(operand == Bytes("-") ? Bytes("/dev/stdin") : operand)
    self = try attempt(PlanStore(path), on: path)
  }

  /// As above, for a command that needs the state: warns if a state from version 0.1 may belong to
  /// this plan.
  static func withState(_ arguments: Arguments) throws(Failure) -> PlanStore {
    let store = try PlanStore(arguments)
    if let state = store.ambiguousState {
      Tool.topic.note(
        "\(store.path.bytes.quotedForMessage) has no state yet:"
          + " \(state.bytes.quotedForMessage) belongs to the plan whose name ends in .md;"
          + " if it is the state of this plan, rename it to"
          + " \(store.statePath.bytes.quotedForMessage)")
    }
    return store
  }

  /// Changes the state, waiting for the locks as long as `--timeout` says.
  func update<Result>(
    _ arguments: Arguments, _ change: (inout Contents) -> Result
  ) throws(Failure) -> (contents: Contents, result: Result) {
    let deadline = try arguments.deadline()
    let outcome = try attempt(update(until: deadline, change), on: path)
    noteEdit(outcome.contents.state.edit)
    return outcome
  }

  /// Says on standard error how the plan has changed since the state was written.
  func noteEdit(_ edit: PlanState.Edit) {
    let changes = [("added", edit.added), ("removed", edit.removed), ("back", edit.restored)]
    let parts = changes.filter { !$0.1.isEmpty }.map { word, ids in
      let shown = ids.prefix(10).map(\.quotedForMessage).joined(separator: ", ")
      return "\(word): \(shown)" + (ids.count > 10 ? " and \(ids.count - 10) more" : "")
    }
    if parts.isEmpty { return }
    Tool.topic.note("\(path.bytes.quotedForMessage) has changed; " + parts.joined(separator: "; "))
  }
}
