import CommandLine

extension Command {
  static let retry = Command(
    "retry", "count the rounds of a review, and say when to stop",
    text: "Counts how often a review sends a piece of work back, and says when to stop.",
    subcommands: [.retryCheck])
}
