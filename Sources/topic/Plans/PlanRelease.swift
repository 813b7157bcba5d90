import CommandLine
import Plans

extension Command {
  static let planRelease = Command(
    "release", "put a task back, for any worker to claim",
    Syntax(
      .plan, .task,
      options: [
        Option(
          "worker", .text("W"), help: "The worker that has the task. Needed without `--force`."),
        Option(
          "force",
          help: """
            Put back a task that failed, or that another worker has. A task that is done stays done.
            """),
        .reportFormat, .lockTimeout,
      ],
      text: """
        Puts the task ID of PLAN back, so that any worker can claim it. As with `topic plan done`,
        the worker W must have the task, unless `--force` is given.
        """,
      examples: """
        topic plan release --worker alice PLAN.md schema
        topic plan release --force PLAN.md schema
        """)
  ) { arguments throws(Failure) in
    try endTask(arguments, as: .pending)
  }
}
