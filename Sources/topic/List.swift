import CommandLine
import POSIX
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

  static let find = Command(
    name: "find",
    help: """
      Usage: topic find [option]... [ROOT] REGEX

      Prints the numbers of the topics whose name matches the extended regular
      expression (as in grep -E), lowest first. Exit code 1 when there is none.

        -f, --format FORMAT   number (default), path, json, jsonl or table
            --style STYLE     topic (default), spec-kit or adr; --width, --separator
                              and --suffix change it as in topic-alloc

      """,
    options: [Option("format", "f", takesValue: true)] + Style.namingOptions, operands: 1...2
  ) { arguments throws(Failure) in
    let pattern = arguments.operands[arguments.operands.count - 1]
    let expression: RegularExpression
    do throws(RegularExpression.SyntaxError) { expression = try RegularExpression(pattern) } catch {
      throw .usage("cannot use the REGEX \(pattern.quotedForMessage): \(error.message)")
    }
    let format = try arguments.choice("format", of: ListFormat.self) ?? .number
    let root = arguments.operands.count == 2 ? arguments.operands[0] : nil
    let found = try topics(in: root, Style(arguments)).filter { expression.matches($0.name) }
    if found.isEmpty { throw Failure(.negative, nil) }
    try TopicListing(found).print(format)
  }

  private static func topics(in operand: Bytes?, _ style: Style) throws(Failure) -> [Topic] {
    let root = try root(operand)
    if operand == nil, !root.exists { return [] }
    return try attempt(root.topics(style), otherwise: .inputOutput)
  }
}
