import CommandLine

extension Command {
  static let plan = Command(
    "plan", "share the tasks of a plan among workers",
    text: """
      Shares the tasks of a plan among workers: any number of processes at once. PLAN is a Markdown
      file; `topic help plans` shows what it looks like.

      The state of PLAN.md is beside it, in PLAN.state.json. A command that changes it locks
      PLAN.lock and then PLAN.md, with flock(2), and replaces the state as a whole: a crash leaves
      the old one or the new one. A PLAN whose name does not end in `.md` has PLAN.plan-state.json
      and PLAN.plan-lock. If PLAN is a symbolic link, all of this is beside the file that it leads
      to. `check`, `show` and `graph` need no state: their PLAN may be a pipe, or `-` for standard
      input.

      PLAN may be edited at any time. The next command takes in the tasks that were added or
      removed, and names them on standard error. A task that comes back has its old state: what was
      done stays done.
      """,
    subcommands: [
      .planCheck, .planShow, .planGraph, .planStatus, .planClaim, .planDone, .planFail,
      .planRelease,
    ])
}
