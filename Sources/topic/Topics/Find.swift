import CommandLine
import POSIX
import TopicAllocation

extension Command {
  static let find = Command(
    "find", "print the topics whose names match a regular expression",
    Syntax(
      .root, .one(.text("REGEX")),
      options: [
        OptionGroup("Options", [.listFormat(.number)]), OptionGroup("Naming", Style.namingOptions),
      ],
      text: """
        Prints the numbers of the topics of ROOT whose names match the extended regular expression
        REGEX, as `grep -E` does, lowest number first. The number is not part of the name. If no topic
        matches, prints nothing and exits with 1.
        """,
      examples: """
        topic find --format path "^oauth"
        topic find specs "login$"
        """)
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
