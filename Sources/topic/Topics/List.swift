import CommandLine
import TopicAllocation

extension Command {
  static let list = Command(
    name: "list",
    help: """
      Usage: topic list [option]... [ROOT]

      Lists the topics of ROOT, or of the detected root: number, name, time since the
      directory last changed, and how many artifacts of each kind there are.

        -f, --format FORMAT   table (default; with tabs when it is not a terminal),
                              json (one array), jsonl, path or number
            --style STYLE     topic (default), spec-kit or adr; --width, --separator
                              and --suffix change it as in topic-alloc

      """,
    options: [Option("format", "f", takesValue: true)] + Style.namingOptions, operands: 0...1
  ) { arguments throws(Failure) in
    let topics = try topics(in: arguments.operands.first, Style(arguments))
    try TopicListing(topics).print(arguments.choice("format", of: ListFormat.self) ?? .table)
  }
}
