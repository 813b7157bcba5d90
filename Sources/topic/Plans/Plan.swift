import CommandLine
import POSIX
import Plans
import TopicAllocation

extension Command {
  private static let options: [(option: Option, owners: [String])] = [
    (Option("worker", takesValue: true), ["claim", "done", "fail", "release"]),
    (Option("lease", takesValue: true), ["claim"]),
    (Option("timeout", "w", takesValue: true), ["claim", "done", "fail", "release"]),
    (Option("force"), ["release"]),
    (Option("watch"), ["status"]),
    (Option("format", "f", takesValue: true), []),
  ]

  static let plan = Command(
    name: "plan",
    help: """
      Usage: topic plan check|show|graph|status [option]... PLAN
             topic plan claim --worker W [option]... PLAN
             topic plan done|fail|release --worker W [option]... PLAN ID
             topic plan release --force [option]... PLAN ID

      Shares the tasks of a plan among workers, any number of processes at once. PLAN is
      a Markdown file with these parts; what stands in code, comments, quotes or lists is
      none of them:

        **Goal:** what all this is for
        | Group 1 | a, b | ... |     a row of a table for each group; a group begins when
        | Group 2 | c | ... |        all groups before it are done
        ### Task a: description      a heading for each task, and its instructions; there
        Depends on: b                these lines say what else has to be done before,
        Timeout: 300                 how many seconds it may take (default 600),
        Role: reviewer               and who is to do it

      check     says what is wrong with PLAN, each with its line
      show      prints goal and tasks
      graph     prints what waits for what, to be drawn
      claim     prints the task that W has, with a new lease; else the first one that can
                be begun; else the first one whose lease ran out, taken over from a worker
                that is gone. Exit code 1 when there is none now, 2 when all is done
      done      W has done the task
      fail      W gives up; what waits for the task waits until it is released
      release   puts the task back, so that anybody can claim it
      status    prints how far it has come, and who has what

        -f, --format FORMAT   text (default) or json; of claim: json (default) or text; of
                              graph: mermaid (default), dot or json
            --worker W        the name of the worker, another one for each
            --lease SECS      after so long others may take the task over (default: the
                              time that it may take); claim again to have it longer
            --force           release a task that failed, or that another one has
            --watch           go on until all is done, on a terminal in place
        -w, --timeout SECS    give up when others lock the plan for so long (default 30)

      How far PLAN.md has come is kept beside it in PLAN.state.json; PLAN.lock and PLAN.md
      are locked while it is changed. (A PLAN without .md has PLAN.plan-state.json and
      PLAN.plan-lock.) Tasks that are added to PLAN or removed from it are found by the
      next command. Leases are judged by the clock of the machine.

      Examples:
        topic plan check PLAN.md
        while :; do
          task=$(topic plan claim --worker "$$" PLAN.md)
          case $? in 0) ;; 1) sleep 5; continue ;; *) break ;; esac
          id=$(jq -r .id <<<"$task")
          if ./work "$task"; then end='done'; else end=fail; fi
          topic plan "$end" --worker "$$" PLAN.md "$id"
        done

      """,
    options: options.map(\.option), operands: 1...3
  ) { arguments throws(Failure) in
    let name = String(decoding: arguments.operands[0], as: UTF8.self)
    let onTasks = ["done", "fail", "release"]
    let all = ["check", "show", "claim"] + onTasks + ["status", "graph"]
    guard all.contains(name) else {
      throw .unknown("plan command", arguments.operands[0], all)
    }
    for (option, owners) in options
    where arguments.has(option.name) && !owners.isEmpty && !owners.contains(name) {
      throw .usage(
        "--\(option.name) goes with topic plan \(owners.joined(separator: ", "))")
    }
    let operands = arguments.operands.dropFirst()
    guard let path = operands.first, !path.isEmpty else {
      throw .usage(
        operands.isEmpty ? "no PLAN" : "PLAN is an empty string",
        advice: operands.isEmpty
          ? "topic plan \(name) PLAN.md" : "check the variable that it comes from")
    }
    guard operands.count == (onTasks.contains(name) ? 2 : 1) else {
      throw onTasks.contains(name)
        ? .usage("no ID", advice: "topic plan \(name) --worker W PLAN.md ID")
        : .usage("topic plan \(name) takes one PLAN")
    }
    let plan = Path(path == Bytes("-") ? Bytes("/dev/stdin") : path)
    let store: PlanStore
    do throws(PlanStore.Failure) { store = try PlanStore(plan) } catch {
      throw Failure(error, plan)
    }
    if let state = store.ambiguousState, !["check", "show", "graph"].contains(name) {
      Tool.topic.note(
        "\(plan.bytes.quotedForMessage) has no state yet:"
          + " \(state.bytes.quotedForMessage) belongs to the plan whose name ends in .md;"
          + " if it is the state of this plan, rename it to"
          + " \(store.statePath.bytes.quotedForMessage)")
    }
    switch name {
    case "check": try PlanCommand.check(store, arguments)
    case "show": try PlanCommand.show(store, arguments)
    case "graph": try PlanCommand.graph(store, arguments)
    case "status": try PlanCommand.status(store, arguments)
    case "claim": try PlanCommand.claim(store, arguments)
    default: try PlanCommand.end(store, name, arguments)
    }
  }
}

/// What the commands of `topic plan` do.
enum PlanCommand {}

/// What a command throws, where `Failure` means a failure of the store.
typealias CommandFailure = Failure

extension PlanStore {
  /// The plan and its state, without a lock.
  func contents() throws(CommandFailure) -> Contents {
    do throws(Failure) { return try load() } catch { throw .init(error, path) }
  }

  /// Says what has changed in the plan since the state was written.
  func tell(_ edit: PlanState.Edit) {
    let parts = [("added", edit.added), ("removed", edit.removed), ("back", edit.restored)]
    let told = parts.filter { !$0.1.isEmpty }.map { word, ids in
      let shown = ids.prefix(10).map { Bytes($0).quotedForMessage }.joined(separator: ", ")
      return "\(word): \(shown)" + (ids.count > 10 ? " and \(ids.count - 10) more" : "")
    }
    if told.isEmpty { return }
    Tool.topic.note("\(path.bytes.quotedForMessage) has changed; " + told.joined(separator: "; "))
  }
}

extension Failure {
  init(_ failure: PlanStore.Failure, _ path: Path) {
    switch failure {
    case .system(let error) where error.errno == .notFound && error.path == path:
      let near = path.nearestSibling { $0 == .file || $0 == .symbolicLink }
      self.init(
        .noInput,
        "there is no plan \(path.bytes.quotedForMessage)"
          + (near.map { "; did you mean \($0.quotedForMessage)?" } ?? ""),
        advice: "'topic help plan' shows what a plan looks like")
    case .system(let error): self.init(error, otherwise: .inputOutput)
    case .defects(let reading):
      let count = reading.defects.count
      reading.tellDefects(path, most: 10)
      self.init(
        .data,
        "\(path.bytes.quotedForMessage) has \(count) defect\(count == 1 ? "" : "s")"
          + (count > 10 ? ", the first 10 of which are told" : ""),
        advice: "correct the plan; topic plan check tells all that is wrong with it")
    case .damaged(let state, let reason):
      self.init(
        .data, "\(state.bytes.quotedForMessage) is no state of a plan: \(reason)",
        advice: "restore it, or remove it to start over with all tasks pending")
    case .busy(let lock):
      self.init(
        .temporary,
        "cannot lock \(lock.bytes.quotedForMessage)"
          + (LockHolder.of(lock).map { ": it is held by \($0.inWords)" } ?? ""),
        advice: "try again, or wait longer with --timeout")
    }
  }
}

extension PlanReading {
  /// Prints the first defects on standard error, as compilers do: `PLAN.md:12: message`.
  func tellDefects(_ path: Path, most: Int = .max) {
    var text = Bytes()
    for (defect, message) in zip(defects, messages).prefix(most) {
      text += Bytes("\(path.bytes.printable):\(defect.line): \(message.onOneLine)\n")
    }
    try? StandardStream.error.writeAll(text)
  }

  /// What is wrong; where an id is unknown, with the heading that was probably meant.
  var messages: [String] {
    let unknown = defects.count { $0.unknownID != nil }
    let unused = defects.compactMap { defect in
      if case .inNoGroup(let id) = defect.kind { (id: id, line: defect.line) } else { nil }
    }
    // Comparing each with each takes its time; of so many, no single one was misspelled.
    let isFew = unknown * (unused.count + otherHeadings.count) < 40_000
    return defects.map { defect in
      guard isFew, let id = defect.unknownID, let meant = heading(like: id, unused) else {
        return defect.message
      }
      return defect.message + "; did you mean the heading '\(meant.text)' on line \(meant.line)?"
    }
  }

  private func heading(
    like id: String, _ unused: [(id: String, line: Int)]
  ) -> (text: String, line: Int)? {
    if case .noSuchDependency = defects.first(where: { $0.unknownID == id })?.kind {
      let ids = plan.tasks.map(\.id)
      guard ids.count < 1_000, let near = nearest(to: id, in: ids) else { return nil }
      return plan.tasks.first { $0.id == near }.map { ("Task \($0.id)", $0.line) }
    }
    let heading = otherHeadings.first { heading in
      let words = heading.text.split { $0 == " " || $0 == ":" }
      return words.prefix(2).contains { $0 == id }
    }
    if let heading { return heading }
    guard let near = nearest(to: id, in: unused.map(\.id)) else { return nil }
    return unused.first { $0.id == near }.map { ("Task \($0.id)", $0.line) }
  }
}

extension String {
  /// With everything escaped that would end its line or act on the terminal.
  var onOneLine: String { Bytes(self).printable }
}
