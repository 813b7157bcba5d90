import CommandLine
import Costs

extension Command {
  static let costTotal = Command(
    "total", "print the sums by role and by model",
    Syntax(
      .run, options: [.prices, .reportFormat],
      text: """
        Prints the sums by role and by model. A model without a price counts as unpriced, never as
        free. Every entry keeps the cost that it was added with, whatever `--prices` says.

        The first 1,000 roles and the first 1,000 models each get a sum of their own. All others,
        and names longer than 4,096 bytes, are added up under the name "…".

        RUN/cost.state.json keeps the sums of a long ledger, so the next call reads only what is new.
        It may be removed at any time. Remove it if you edit the ledger.
        """,
      examples: """
        topic cost total --format json "$run" | jq -r .usd
        """)
  ) { arguments throws(Failure) in
    let ledger = try CostLedger(arguments)
    if arguments.has("prices") { _ = try PriceList(arguments) }
    try CostReport(ledger.totalWithNotes()).print(arguments.reportFormat())
  }
}
