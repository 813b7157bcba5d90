import CommandLine
import Costs
import JSON
import POSIX

extension Command {
  static let costCheck = Command(
    "check", "exit with 10 if a run cost more than a limit",
    Syntax(
      .run,
      required: [
        Option(
          "max-usd", .text("AMOUNT"), help: "The limit, such as `2.50`; reaching it is allowed.")
      ],
      options: [
        .model(help: "The model of the tokens that `--estimate-tokens` adds."),
        Option(
          "estimate-tokens", .text("N"),
          help: "Add N tokens of `--model` to the cost, each at the higher of its two prices."),
        Option(
          "strict",
          help: """
            Exit with 10, too, if there are calls without a price or unreadable lines, so that the
            total is unknown. Without this option, they are a warning.
            """),
        .prices, .reportFormat,
      ],
      text: """
        Says whether a run may continue: prints what it cost and the limit, and exits with 10 if it
        cost more. The check reserves nothing: processes that spend at the same time have to leave
        room.
        """,
      examples: """
        topic cost check 042 --max-usd 2.50 --model gpt-5 --estimate-tokens 20000
        """)
  ) { arguments throws(Failure) in
    let ledger = try CostLedger(arguments)
    let limit = try limit(arguments)
    let format = try arguments.reportFormat()
    let estimate = try estimate(arguments)
    if arguments.has("prices") { _ = try PriceList(arguments) }
    let total = try ledger.totalWithNotes()
    guard let spent = total.all.cost, let sum = spent.adding(estimate ?? .zero) else {
      throw .costTooLarge
    }
    try CostCheck(
      path: ledger.path, limit: limit, total: total, spent: spent, estimate: estimate, sum: sum,
      isStrict: arguments.has("strict")
    ).print(format)
  }
}

private func limit(_ arguments: Arguments) throws(Failure) -> Money {
  let value = arguments.value(of: "max-usd") ?? []
  guard let amount = Money(String(decoding: value, as: UTF8.self)) else {
    throw .usage(
      "--max-usd takes an amount in decimal digits such as 2.50, not \(value.quotedForMessage)")
  }
  return amount
}

/// The cost of the tokens that the options add; nil if they add none.
private func estimate(_ arguments: Arguments) throws(Failure) -> Money? {
  let tokens = try arguments.number("estimate-tokens", in: CostLedger.tokens)
  if tokens == nil, !arguments.has("model") { return nil }
  guard let tokens, arguments.has("model") else {
    throw .usage("--model and --estimate-tokens go together", advice: "give both, or neither")
  }
  let model = try arguments.name("model")
  let list = try PriceList(arguments)
  guard let price = list.prices[model] else {
    throw Failure(
      .data, "cannot estimate: \(Bytes(model).quotedForMessage) has no price in \(list.name)",
      advice: "list the prices with 'topic cost prices', or replace them with --prices FILE")
  }
  guard let cost = max(price.input, price.output).multiplied(by: UInt64(tokens)) else {
    throw .costTooLarge
  }
  return cost
}

/// What a run cost, compared with a limit.
private struct CostCheck {
  let path: Path
  let limit: Money
  let total: CostTotal
  let spent: Money
  let estimate: Money?
  let sum: Money
  let isStrict: Bool

  private var unknown: Int { total.all.unpriced + total.unreadable }
  private var isStopped: Bool { sum > limit || (isStrict && unknown > 0) }

  func print(_ format: ReportFormat) throws(Failure) {
    if format == .json {
      try printOut(json)
      if isStopped { throw Failure(.limit, nil) }
      return
    }
    let parts = estimate.map { " (\(spent) spent, \($0) estimated)" } ?? ""
    if sum > limit {
      throw Failure(
        .limit, "\(path.bytes.printable): \(sum) USD\(parts) is over the limit of \(limit) USD",
        advice: "stop here, use a cheaper model, or raise --max-usd")
    }
    let gap =
      "\(path.bytes.printable): entries without a price or unreadable: \(unknown);"
      + " the total is \(sum) USD or more"
    if isStopped {
      throw Failure(
        .limit, gap,
        advice: "add calls with a list that has their price (--prices), or check without --strict")
    }
    if unknown > 0 { Tool.topic.note(gap) }
    try printOut("\(sum) USD\(parts) of \(limit) USD\n")
  }

  private var json: Bytes {
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
    return json.text
  }
}
