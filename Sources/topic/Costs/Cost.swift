import CommandLine
import Costs
import JSON
import POSIX

extension Command {
  private static let addOptions = [
    Option("role", takesValue: true), Option("input-tokens", takesValue: true),
    Option("output-tokens", takesValue: true),
  ]
  private static let checkOptions = [
    Option("max-usd", takesValue: true), Option("estimate-tokens", takesValue: true),
    Option("strict"),
  ]

  static let cost = Command(
    name: "cost",
    help: """
      Usage: topic cost add --role R --model M --input-tokens N --output-tokens N RUN
             topic cost total [option]... RUN
             topic cost check --max-usd X [option]... RUN
             topic cost prices [--prices FILE]

      Keeps in RUN/cost.jsonl what the models of a run have cost. Amounts are exact decimal
      numbers, never rounded. Any number of processes can add at once. RUN is a directory
      that exists, or the number or name of a topic.

      add puts one call of a model on the disk, with the price that holds now. The first
      one of a run says so when it is a shipped price.

            --role R              who called it, such as reviewer
            --model M             the model
            --input-tokens N      how many tokens it has read
            --output-tokens N     how many tokens it has written
        -v, --verbose             say what it cost, and by which prices

      total prints the sums, by role and by model. A model without a price is counted as
      unpriced and shown, never as free.

      check says whether the run may go on: exit code 10 when the total is over X. It
      reserves nothing: who spends at once has to leave room.

            --max-usd X           the limit, such as 2.50; reaching it is all right
            --model M --estimate-tokens N
                                  add N tokens of M, each at the dearer of its two prices
            --strict              exit code 10, too, when something has no price or cannot
                                  be read, so that the total is not known

      All of them:

            --prices FILE         take prices from FILE, else from the file that TOPIC_PRICES
                                  names, else those that are shipped
        -f, --format FORMAT       text (default) or json

      prices prints the list in force as JSON, to be changed and given as FILE. The
      shipped ones are those that OpenAI and Anthropic published by the day that they
      name, without discounts and surcharges. They go out of date: check them.

      Examples:
        topic cost add "$run" --role writer --model gpt-5 --input-tokens 900 --output-tokens 80
        topic cost check "$run" --max-usd 2.50 --model gpt-5 --estimate-tokens 20000 || exit
        topic cost prices >prices.json && export TOPIC_PRICES=$PWD/prices.json

      """,
    options: addOptions + checkOptions + [
      Option("model", takesValue: true), Option("prices", takesValue: true),
      Option("format", "f", takesValue: true), Option("verbose", "v"),
    ], operands: 1...2
  ) { arguments throws(Failure) in
    let name = arguments.operands[0]
    let command = String(decoding: name, as: UTF8.self)
    let names = ["add", "total", "check", "prices"]
    guard names.contains(command) else { throw .unknown("cost command", name, names) }
    for option in addOptions where arguments.has(option.name) && command != "add" {
      throw .usage("--\(option.name) goes with topic cost add")
    }
    for option in checkOptions where arguments.has(option.name) && command != "check" {
      throw .usage("--\(option.name) goes with topic cost check")
    }
    if command == "prices" {
      if arguments.operands.count > 1 { throw .usage("topic cost prices takes no RUN") }
      return try printPrices(arguments)
    }
    let ledger = CostLedger(try runOperand(arguments, of: "topic cost \(command)"))
    switch command {
    case "add": try add(to: ledger, arguments)
    case "total":
      if arguments.has("prices") { _ = try PriceList(arguments) }
      try CostReport(total(of: ledger)).print(format(arguments))
    default: try check(ledger, arguments)
    }
  }

  private static func format(_ arguments: Arguments) throws(Failure) -> ReportFormat {
    try arguments.choice("format", of: ReportFormat.self) ?? .text
  }

  // MARK: add

  private static func add(to ledger: CostLedger, _ arguments: Arguments) throws(Failure) {
    let role = try name("role", arguments)
    let model = try name("model", arguments)
    let input = try tokens("input-tokens", arguments)
    let output = try tokens("output-tokens", arguments)
    let format = try format(arguments)
    let prices = try PriceList(arguments)
    let price = prices.prices[model]
    let cost = price?.cost(inputTokens: input, outputTokens: output)
    if price != nil, cost == nil { throw tooLarge }
    let entry = CostLedger.Entry(
      at: .now, role: role, model: model, inputTokens: input, outputTokens: output, cost: cost)
    let isFirst: Bool
    do throws(SystemError) { isFirst = try ledger.add(entry) } catch {
      let isThere = error.call == .write || error.call == .fsync
      throw Failure(error, otherwise: isThere ? .inputOutput : .cannotCreate)
    }
    if format == .json {
      var json = JSONWriter(.compact)
      json.value(entry.json)
      json.endLine()
      do throws(Failure) { try printOut(json.text) } catch {
        throw Failure(error.code, error.message.map { $0 + "; the call is added all the same" })
      }
    }
    let isNews = isFirst && prices.isShipped
    if let cost, isNews || arguments.has("verbose") {
      Tool.topic.note("\(cost) USD, by \(prices.inWords)\(prices.warning)")
    } else if cost == nil {
      Tool.topic.note(
        "\(Bytes(model).quotedForMessage) has no price in \(prices.inWords):"
          + " the call is counted as unpriced")
    }
  }

  private static var tooLarge: Failure { Failure(.data, "the cost is too large to represent") }

  private static func name(_ option: String, _ arguments: Arguments) throws(Failure) -> String {
    guard let value = arguments.value(of: option), !value.isEmpty else {
      throw .usage("no --\(option)", advice: "topic help cost says what add needs")
    }
    return try text(of: option, arguments) ?? ""
  }

  private static func tokens(_ option: String, _ arguments: Arguments) throws(Failure) -> Int {
    guard let number = try arguments.number(option, in: CostLedger.tokens) else {
      throw .usage("no --\(option)", advice: "give 0 when there are none")
    }
    return number
  }

  // MARK: total and check

  private static func total(of ledger: CostLedger) throws(Failure) -> CostTotal {
    let total = try attempt(ledger.total(), otherwise: .inputOutput)
    if total.unreadable > 0 {
      Tool.topic.note(
        "\(ledger.path.bytes.printable): \(total.unreadable) lines are no entries and not counted;"
          + " a crash while one was added leaves such a line")
    }
    for (what, sums) in [("roles", total.roles), ("models", total.models)]
    where sums[CostTotal.others] != nil {
      Tool.topic.note(
        "\(ledger.path.bytes.printable): more than \(CostTotal.mostNames) \(what), or names over"
          + " \(CostTotal.longestName) bytes; the rest is summed up as \(CostTotal.others)")
    }
    return total
  }

  private static func check(_ ledger: CostLedger, _ arguments: Arguments) throws(Failure) {
    guard let limit = try amount("max-usd", arguments) else {
      throw .usage("no --max-usd", advice: "--max-usd 2.50")
    }
    let format = try format(arguments)
    let estimate = try estimate(arguments)
    if arguments.has("prices") { _ = try PriceList(arguments) }
    let total = try total(of: ledger)
    guard let spent = total.all.cost, let sum = spent.adding(estimate ?? .zero) else {
      throw tooLarge
    }
    let unknown = total.all.unpriced + total.unreadable
    let isOver = sum > limit
    let isStopped = isOver || (arguments.has("strict") && unknown > 0)
    if format == .json {
      var json = JSONWriter(.indented)
      json.object { json in
        json.member("within_limit", !isStopped)
        json.member("max_usd", "\(limit)")
        json.member("spent_usd", "\(spent)")
        json.member("estimate_usd", "\(estimate ?? .zero)")
        json.member("sum_usd", "\(sum)")
        json.member("unpriced_entries", total.all.unpriced)
        json.member("unreadable_lines", total.unreadable)
      }
      json.endLine()
      try printOut(json.text)
      if isStopped { throw Failure(.limit, nil) }
      return
    }
    let parts = estimate.map { " (\(spent) spent, \($0) estimated)" } ?? ""
    if isOver {
      throw Failure(
        .limit,
        "\(ledger.path.bytes.printable): \(sum) USD\(parts) is over the limit of \(limit) USD",
        advice: "stop here, take a cheaper model, or raise --max-usd")
    }
    let gap =
      "\(ledger.path.bytes.printable): entries without a price or unreadable: \(unknown);"
      + " the total is \(sum) USD or more"
    if isStopped {
      throw Failure(
        .limit, gap, advice: "have --prices at hand when adding; without --strict they do not count"
      )
    }
    if unknown > 0 { Tool.topic.note(gap) }
    try printOut("\(sum) USD\(parts) of \(limit) USD\n")
  }

  private static func estimate(_ arguments: Arguments) throws(Failure) -> Money? {
    guard arguments.has("model") || arguments.has("estimate-tokens") else { return nil }
    let model = try name("model", arguments)
    let tokens = try tokens("estimate-tokens", arguments)
    let prices = try PriceList(arguments)
    guard let price = prices.prices[model] else {
      throw Failure(
        .data,
        "cannot estimate: \(Bytes(model).quotedForMessage) has no price in \(prices.inWords)",
        advice: "topic cost prices shows them; --prices FILE gives others")
    }
    guard let cost = max(price.input, price.output).multiplied(by: UInt64(tokens)) else {
      throw tooLarge
    }
    return cost
  }

  private static func amount(_ option: String, _ arguments: Arguments) throws(Failure) -> Money? {
    guard let value = arguments.value(of: option) else { return nil }
    guard let amount = Money(String(decoding: value, as: UTF8.self)) else {
      throw .usage(
        "--\(option) takes an amount in decimal digits such as 2.50, not \(value.quotedForMessage)")
    }
    return amount
  }

  // MARK: prices

  private static func printPrices(_ arguments: Arguments) throws(Failure) {
    let list = try PriceList(arguments)
    var json = JSONWriter(.indented)
    json.value(list.value)
    json.endLine()
    try printOut(json.text)
    Tool.topic.note(list.inWords + list.warning)
  }
}

/// The prices in force, and where they come from.
private struct PriceList {
  let value: JSONValue
  let prices: Prices
  /// To follow "by".
  let inWords: String
  /// Whether nobody has looked at them yet.
  let isShipped: Bool
  /// To follow that.
  var warning: String { isShipped ? "; they go out of date: check them" : "" }

  init(_ arguments: Arguments) throws(Failure) {
    let file = arguments.value(of: "prices") ?? Environment.variable("TOPIC_PRICES")
    var source = "the shipped prices"
    if let file {
      let input = try InputText(reading: file)
      value = try input.json()
      source = "the prices in \(input.name)"
    } else {
      value = Prices.shippedList
    }
    do throws(Prices.Mistake) { prices = try Prices(value) } catch {
      throw Failure(
        .data, "\(source) are no list: \(error.message)",
        advice: "topic cost prices prints one, when TOPIC_PRICES is not set")
    }
    inWords = source + " of " + Bytes(prices.date).printable
    isShipped = file == nil
  }
}
