import CommandLine
import POSIX
import TopicAllocation

extension Command {
  static let slug = Command(
    "slug", "print the name that a topic of a text would get",
    Syntax(
      .several(.text("TEXT")),
      options: [
        Option(
          "style", .choice("STYLE", StyleName.self),
          help: "The style of the name: `topic` (default), `spec-kit` or `adr`.")
      ],
      text: """
        Prints the slug of each TEXT, one per line, and creates nothing. The TEXT `-` reads texts from
        standard input, one per line. `topic help names` explains the rules.
        """,
      examples: """
        topic slug "OAuth 2.0 login"
        topic slug --style spec-kit - <names.txt
        """)
  ) { arguments throws(Failure) in
    let rule = try Style(arguments).slugRule
    let slugs = try Slug.ofNames(arguments.operands[...], rule)
    try printOut(slugs.reduce(into: Bytes()) { $0 += $1.bytes + Bytes("\n") })
  }
}
