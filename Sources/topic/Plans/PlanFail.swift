import CommandLine
import Plans

extension Command {
  static let planFail = Command(
    "fail", "record that a worker has given a task up",
    Syntax(
      .plan, .task, required: [.worker], options: [.reportFormat, .lockTimeout],
      text: """
        Records that the worker W has given up the task ID of PLAN. The tasks that wait for it wait
        until `topic plan release --force` puts it back.

        As with `topic plan done`, W must have the task, and running the command again is not an
        error.
        """,
      examples: "topic plan fail --worker alice PLAN.md schema")
  ) { arguments throws(Failure) in
    try endTask(arguments, as: .failed)
  }
}
