import CommandLine
import TopicAllocation

extension Command {
  static let list = Command(
    "list", "list the topics and count their artifacts",
    Syntax(
      .root,
      options: [
        OptionGroup("Options", [.listFormat(.table)]), OptionGroup("Naming", Style.namingOptions),
      ],
      text: """
        Prints the topics of ROOT in the order of their numbers: number, name, time since the
        directory last changed, and how many artifacts of each kind there are.

        Kinds without a directory are left out. Artifacts whose names begin with a dot do not count.
        On a terminal, the table has a header, and its columns are aligned and cut at the width of
        the terminal. Elsewhere, a tab separates the columns, and there is no header.

        # JSON

        Each object has the keys `topic_number`, `topic_name`, `topic_path`, `modified` (RFC 3339),
        `age_seconds` and `artifacts`, an object with a count for each kind, or null if it cannot be
        read.
        """)
  ) { arguments throws(Failure) in
    let topics = try topics(in: arguments.operands.first, Style(arguments))
    try TopicListing(topics).print(arguments.choice("format", of: ListFormat.self) ?? .table)
  }
}
