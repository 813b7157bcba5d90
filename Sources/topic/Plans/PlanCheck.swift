import CommandLine
import JSON
import POSIX
import Plans

extension Command {
  static let planCheck = Command(
    "check", "list everything that is wrong with a plan",
    Syntax(
      .plan, options: [.reportFormat],
      text: """
        Prints how many tasks and groups PLAN has. If it is not a valid plan, prints every defect
        with its line, as compilers do (`PLAN.md:12: ...`), on standard error, and exits with 65. As
        JSON, the defects are part of the result. `topic help plans` lists the kinds of defects.
        """,
      examples: "topic plan check PLAN.md")
  ) { arguments throws(Failure) in
    let store = try PlanStore(arguments)
    let format = try arguments.choice("format", of: ReportFormat.self) ?? .text
    let reading = try attempt(store.read(), on: store.path)
    let isValid = reading.defects.isEmpty
    switch format {
    case .json: try printOut(json(reading))
    case .text where isValid:
      let (tasks, groups) = (reading.plan.tasks.count, reading.plan.groups.count)
      try printOut(
        "\(tasks) task\(tasks == 1 ? "" : "s") in \(groups) group\(groups == 1 ? "" : "s")\n")
    case .text: reading.printDefects(store.path)
    }
    if !isValid { throw Failure(.data, nil) }
  }
}

private func json(_ reading: PlanReading) -> Bytes {
  var json = JSONWriter(.indented)
  json.object { json in
    json.member("tasks", reading.plan.tasks.count)
    json.member("groups", reading.plan.groups.count)
    json.key("defects")
    json.array { json in
      for (defect, message) in zip(reading.defects, reading.messages) {
        json.object { json in
          json.member("line", defect.line)
          json.member("message", message)
        }
      }
    }
  }
  json.endLine()
  return json.text
}
