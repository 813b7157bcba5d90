import CommandLine

extension Tool {
  static let topic = Tool("topic")
}

extension Command {
  static let topic: Command = Command(
    "topic", "create, list, check and renumber numbered directories, and record the work in them",
    text: """
      Works with numbered directories such as specs/042_oauth_20. Each is a topic: one piece of work
      with a number of its own.

      # Examples

          topic=$(topic locate --reuse --format path "OAuth 2.0 login") || exit
          topic artifact "$topic" plans "First cut" --suffix .md
          topic list
          topic verify --allow-gaps

      # Terms

      * ROOT: The directory that holds the topics. If it is not given, it is detected:
        `$CLAUDE_SPECS_ROOT`, or else `.claude/specs` or `specs` in the project. See
        `topic help environment`. To create topics in a ROOT that you name, use `topic-alloc`.
      * TOPIC, RUN: The path of a directory, or the number or name of a topic in the detected ROOT:
        `42`, `042`, `oauth_20` or `specs/042_oauth_20`. Digits alone are a number first, then a path.
        If it does not exist, that is an error (66) that suggests the closest name; it is never
        created.
      * artifacts: The files that the work produces, in directories of the topic, one for each kind:
        `reports`, `plans`, `summaries`, `debug`, `scripts` and `outputs`.

      # Options

      Options follow the COMMAND and stand anywhere before `--`. `--format path`, `--format=path` and
      `-fpath` mean the same, and `-rf path` joins two options. If an option is given twice, the last one counts, unless it is
      repeatable. Every command has `--help` (`-h`), which prints what `topic help COMMAND` prints,
      and `--version`.
      """,
    groups: [
      CommandGroup("Topics", [.locate, .list, .find, .verify, .renumber, .artifact, .slug]),
      CommandGroup(
        "Plans and runs",
        [.plan, .checkpoint, .retry, .try, .gate, .log, .metrics, .cost]),
      CommandGroup(
        "Help",
        [
          .help({ [.topic, .topicAlloc] }, others: ["topic-stress"]),
          .completions(for: ["topic", "topic-alloc", "topic-stress"]),
        ]),
    ],
    pages: [.formats, .names, .scopes, .guarantees, .plans, .environment, .exitStatus])
}
