import CommandLine
import Costs
import JSON
import POSIX

extension Command {
  static let costAdd = Command(
    "add", "add a call of a model",
    Syntax(
      .run,
      required: [
        Option("role", .text("ROLE"), help: "Who called the model, such as `reviewer`."),
        .model(help: "The model."),
        Option(
          "input-tokens", .text("N"), help: "How many tokens the model read; 0 if there are none."),
        Option(
          "output-tokens", .text("N"),
          help: "How many tokens the model wrote; 0 if there are none."),
      ],
      options: [
        .prices, .reportFormat,
        Option("verbose", "v", help: "Print what the call cost, and by which prices."),
      ],
      text: """
        Adds a call of a model to RUN/cost.jsonl, with its cost by the prices in force. The entry is
        on disk before the command ends. `--format json` prints it.

        A model without a price counts as unpriced, never as free, and standard error says so. The
        first entry of a ledger also says so if its price is a shipped one.
        """,
      examples: """
        topic cost add 042 --role writer --model gpt-5 \\
          --input-tokens 900 --output-tokens 80
        """)
  ) { arguments throws(Failure) in
    let ledger = try CostLedger(arguments)
    let role = try arguments.name("role")
    let model = try arguments.name("model")
    let input = try arguments.number("input-tokens", in: CostLedger.tokens) ?? 0
    let output = try arguments.number("output-tokens", in: CostLedger.tokens) ?? 0
    let format = try arguments.reportFormat()
    let list = try PriceList(arguments)
    let price = list.prices[model]
    let cost = price?.cost(inputTokens: input, outputTokens: output)
    if price != nil, cost == nil { throw .costTooLarge }
    let entry = CostLedger.Entry(
      at: .now, role: role, model: model, inputTokens: input, outputTokens: output, cost: cost)
    let isFirst: Bool
    do throws(SystemError) { isFirst = try ledger.add(entry) } catch {
      let isOpen = error.call == .write || error.call == .fsync
      throw Failure(error, otherwise: isOpen ? .inputOutput : .cannotCreate)
    }
    if format == .json {
      var json = JSONWriter(.compact)
      json.value(entry.json)
      json.endLine()
      do throws(Failure) { try printOut(json.text) } catch {
        throw Failure(error.code, error.message.map { $0 + "; the call is still added" })
      }
    }
    if let cost, (isFirst && list.isShipped) || arguments.has("verbose") {
      Tool.topic.note("\(cost) USD, by \(list.name)\(list.warning)")
    } else if cost == nil {
      Tool.topic.note(
        "\(Bytes(model).quotedForMessage) has no price in \(list.name):"
          + " the call is counted as unpriced")
    }
  }
}
