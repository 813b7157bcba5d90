import CommandLine
import JSON
import POSIX
import Plans

extension Command {
  static let planShow = Command(
    "show", "print the goal and the tasks of a plan",
    Syntax(
      .plan, options: [.reportFormat],
      text: """
        Prints the goal of PLAN, and its tasks by group.

        As JSON, each task has `id`, `description`, `instructions`, `dependencies` (all tasks of the
        group before, then those that it names), `timeout_seconds` and `role`.
        """,
      examples: """
        topic plan show PLAN.md
        topic plan show --format json PLAN.md | jq -r '.tasks[].id'
        """)
  ) { arguments throws(Failure) in
    let store = try PlanStore(arguments)
    let format = try arguments.choice("format", of: ReportFormat.self) ?? .text
    let plan = try attempt(store.plan(), on: store.path)
    if format == .text { return try printOut(text(plan)) }
    var json = JSONWriter(.indented)
    try json.object { json throws(Failure) in
      json.member("goal", plan.goal)
      json.key("tasks")
      try json.array { json throws(Failure) in
        for task in plan.tasks {
          try json.object { json throws(Failure) in
            try plan.write(task, &json, printFinished)
          }
          try printFinished(&json)
        }
      }
    }
    json.endLine()
    try printOut(json.text)
  }
}

private func text(_ plan: Plan) -> String {
  var text = plan.goal.onOneLine + "\n"
  for group in plan.groups {
    text += "\nGroup \(group.number)\n"
    for task in plan.tasks[group.tasks] {
      text += "  " + task.title + "\n"
      var notes =
        task.dependencies.isEmpty
        ? [] : ["after " + task.dependencies.map { plan.tasks[$0].id }.joined(separator: ", ")]
      if let role = task.role { notes.append("by " + role.onOneLine) }
      if task.timeout != Plan.defaultTimeout { notes.append("within \(task.timeout) s") }
      if !notes.isEmpty { text += "    " + notes.joined(separator: ", ") + "\n" }
    }
  }
  return text
}
