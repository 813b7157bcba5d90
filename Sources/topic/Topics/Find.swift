import CommandLine
import POSIX
import TopicAllocation

extension Command {
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
}
