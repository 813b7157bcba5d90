import CommandLine
import Plans

extension Command {
  static let planDone = Command(
    "done", "record that a task is done",
    Syntax(
      .plan, .task, required: [.worker], options: [.reportFormat, .lockTimeout],
      text: """
        Records that the worker W has done the task ID of PLAN.

        Only the worker that has the task can do that, even after the lease has expired, as long as
        nobody has taken the task over. For others, the exit status is 77, and the message names the
        worker that has it. Running the command again is not an error.
        """,
      examples: "topic plan done --worker alice PLAN.md schema")
  ) { arguments throws(Failure) in
    try endTask(arguments, as: .done)
  }
}
