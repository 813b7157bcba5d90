import CommandLine
import Costs
import POSIX

extension Command {
  static let cost = Command(
    "cost", "count what the models of a run cost, and stop at a limit",
    text: """
      Keeps in RUN/cost.jsonl what the models of a run cost.

      Amounts are exact decimal numbers of US dollars, never rounded; in JSON they are strings. Any
      number of processes can add at once.
      """,
    subcommands: [.costAdd, .costTotal, .costCheck, .costPrices])
}

extension Option {
  /// The list of prices in place of the one in force.
  static let prices = Option(
    "prices", .file("FILE"),
    help: """
      Take the prices from FILE instead of the file that `$TOPIC_PRICES` names, or else the shipped
      ones.
      """)

  /// The name of a model; completions offer those that have a price.
  static func model(help: String) -> Option {
    let models = Value.among("MODEL") { PriceList.models($0).map { Candidate($0) } }
    return Option("model", models, help: help)
  }
}

extension CostLedger {
  /// The ledger of the run that the operand names.
  init(_ arguments: Arguments) throws(Failure) {
    self.init(try TopicOperand(arguments.operands[0], as: "RUN").directory())
  }

  /// The sums of the ledger. Notes on standard error say what they leave out.
  func totalWithNotes() throws(Failure) -> CostTotal {
    let total = try attempt(
      total { error in
        let reason = Failure(error, otherwise: .inputOutput).message ?? ""
        Tool.topic.note("\(reason); the sums are read from the ledger")
      }, otherwise: .inputOutput)
    if total.unreadable > 0 {
      let lines =
        total.unreadable == 1
        ? "1 line is not an entry" : "\(total.unreadable) lines are not entries"
      Tool.topic.note(
        "\(path.bytes.printable): \(lines) and not counted; a crash while adding leaves such a line"
      )
    }
    for (what, sums) in [("roles", total.roles), ("models", total.models)]
    where sums.isBounded {
      Tool.topic.note(
        "\(path.bytes.printable): more than \(CostTotal.mostNames) \(what), or names over"
          + " \(CostTotal.longestName) bytes; the rest is summed up as \(CostTotal.others)")
    }
    return total
  }
}

extension Arguments {
  /// The value of an option that the command needs, as text that is not empty.
  func name(_ option: String) throws(Failure) -> String {
    guard let name = try text(option), !name.isEmpty else {
      throw .emptyString("--\(option)")
    }
    return name
  }

  /// How to print the result.
  func reportFormat() throws(Failure) -> ReportFormat {
    try choice("format", of: ReportFormat.self) ?? .text
  }
}

extension Failure {
  /// An amount that ``Money`` cannot hold.
  static var costTooLarge: Failure { Failure(.data, "the cost is too large to represent") }
}
