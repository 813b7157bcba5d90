import CommandLine

extension Page {
  /// The syntax of a plan.
  static let plans = Page(
    "plans", "what a plan looks like",
    text: """
      A plan is a Markdown file with a goal, a table of groups, and a section for each task:

          **Goal:** Sign in with OAuth

          | Group   | Tasks           | Notes                |
          | ------- | --------------- | -------------------- |
          | Group 1 | schema, buttons | at the same time     |
          | Group 2 | client, review  | once group 1 is done |

          ### Task schema: Tables for sessions

          Write a migration, and a test that it can be undone.

          ### Task buttons: Sign in, sign out

          ### Task client: Ask the provider

          Timeout: 1800

          Exchange the code for a token. See RFC 6749, section 4.1.

          ### Task review: Read it all

          Depends on: client
          Role: reviewer

          Make sure that no token reaches a log.

      - `**Goal:** TEXT` says what the plan is for. The goal ends with its paragraph, or
        before a line that begins with `**`.
      - `| Group N | IDS | ... |` is the row of a group. Further columns are notes. The tasks of a
        group can begin when those of all groups before it are done. Numbers rise from row to row.
      - `### Task ID: DESCRIPTION` begins a task. Its instructions are everything up to the next
        heading of this level or above. An ID has letters, digits, dots, hyphens and underscores.
      - `Depends on: IDS`, among the instructions, names tasks that must be done first. Several
        lines add up.
      - `Timeout: SECONDS`, among the instructions, says how long the task may take (default 600).
      - `Role: NAME`, among the instructions, says who should do it.

      Commas or spaces separate IDS. Upper and lower case do not matter in the words `Goal`,
      `Group`, `Task`, `Depends on`, `Timeout` and `Role`, and the last three may be bold. What is
      inside code, HTML comments, block quotes or lists is text, by the rules of CommonMark.

      # Defects

      `topic plan check` reports all of these at once, each with its line:

      - no goal, no task, or bytes that are not UTF-8;
      - a task that is in no group, or is defined twice;
      - an ID in the table or in `Depends on` for which there is no task;
      - an ID that is in the table twice, or holds other characters;
      - a group that is empty, or whose number is not higher than that of the group before;
      - a timeout that is not a number of seconds from 1 to 1000000000;
      - tasks that wait for each other, which are printed as a path.
      """)
}
