import CommandLine
import JSON

extension Command {
  static let costPrices = Command(
    "prices", "print the prices in force",
    Syntax(
      options: [
        .prices, Option("format", "f", .choice("FORMAT", ["json"]), help: "`json` only."),
      ],
      text: """
        Prints the prices in force as JSON, to be changed and given with `--prices`: an object with
        `as_of`, `currency` (USD), `per_tokens` and `models`, an object with `input` and `output`
        for each model.

        The shipped prices are those that OpenAI and Anthropic had published by the day that the
        list names, without discounts and surcharges. They go out of date: check them.
        """,
      examples: """
        topic cost prices >prices.json && export TOPIC_PRICES=$PWD/prices.json
        """)
  ) { arguments throws(Failure) in
    let list = try PriceList(arguments)
    var json = JSONWriter(.indented)
    json.value(list.value)
    json.endLine()
    try printOut(json.text)
    Tool.topic.note(list.name + list.warning)
  }
}
