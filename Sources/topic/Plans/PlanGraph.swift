import CommandLine
import JSON
import POSIX
import Plans

extension Command {
  static let planGraph = Command(
    "graph", "print which tasks wait for which, to be drawn",
    Syntax(
      .plan,
      options: [
        Option(
          "format", "f", .choice("FORMAT", GraphFormat.self),
          help: "`mermaid` (default; `text` means the same), `dot` (for Graphviz) or `json`.")
      ],
      text: """
        Prints which tasks of PLAN wait for which, in a language that other programs draw.
        """,
      examples: """
        topic plan graph PLAN.md
        topic plan graph --format dot PLAN.md | dot -Tsvg >plan.svg
        """)
  ) { arguments throws(Failure) in
    let store = try PlanStore(arguments)
    let format = try arguments.choice("format", of: GraphFormat.self) ?? .mermaid
    let plan = try attempt(store.plan(), on: store.path)
    switch format {
    case .mermaid, .text: try printOut(plan.mermaid())
    case .dot: try printOut(plan.dot())
    case .json: try printJSON(plan)
    }
  }
}

private enum GraphFormat: String, CaseIterable {
  case mermaid, dot, json, text
}

private func printJSON(_ plan: Plan) throws(Failure) {
  var json = JSONWriter(.indented)
  try json.array { json throws(Failure) in
    for task in plan.tasks {
      try json.object { json throws(Failure) in
        json.member("id", task.id)
        json.member("group", task.group.map { plan.groups[$0].number } ?? 0)
        try plan.writeDependencies(task, &json, printFinished)
      }
      try printFinished(&json)
    }
  }
  json.endLine()
  try printOut(json.text)
}
