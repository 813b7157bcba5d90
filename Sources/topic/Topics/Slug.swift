import CommandLine
import POSIX
import TopicAllocation

extension Command {
  static let slug = Command(
    name: "slug",
    help: """
      Usage: topic slug [option]... TEXT...

      Prints the name that a topic of each TEXT would get, a line each, and creates
      nothing. '-' reads TEXTs from standard input, a line each.

            --style STYLE     topic (default), spec-kit or adr

      """,
    options: [Option("style", takesValue: true)], operands: 1...Int.max
  ) { arguments throws(Failure) in
    let rule = try Style(arguments).slugRule
    let slugs = try Slug.ofNames(arguments.operands[...], rule)
    try printOut(slugs.reduce(into: Bytes()) { $0 += $1.bytes + Bytes("\n") })
  }
}
