import CommandLine

extension Command {
  static let log = Command(
    "log", "append events to a log, and print or follow the last ones",
    text: """
      Appends events to a log, and prints the last ones. An event is a JSON value on a line of its
      own.
      """,
    subcommands: [.logAppend, .logTail])
}
