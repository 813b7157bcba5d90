import JSON

/// What the tokens of models cost.
public struct Prices: Sendable {
  /// What one model costs.
  public struct Price: Hashable, Sendable {
    /// One token that it reads.
    public let input: Money
    /// One token that it writes.
    public let output: Money

    /// What so many tokens cost; nil when that is more than ``Money`` can hold.
    public func cost(inputTokens: Int, outputTokens: Int) -> Money? {
      guard let input = input.multiplied(by: UInt64(inputTokens)),
        let output = output.multiplied(by: UInt64(outputTokens))
      else { return nil }
      return input.adding(output)
    }
  }

  /// Why a text is no list of prices.
  public struct Mistake: Error {
    /// What is wrong, and where.
    public let message: String
  }

  /// The day when the prices held, as the list says it.
  public let date: String
  private let models: [String: Price]

  /// What the model of exactly this name costs; nil when the list does not have it.
  public subscript(model: String) -> Price? { models[model] }

  /// Reads a list as `topic cost prices` prints it. Prices are strings or numbers in decimal digits,
  /// for `per_tokens` tokens (1,000,000 where that is not said).
  public init(_ list: JSONValue) throws(Mistake) {
    guard list.members != nil else { throw Mistake(message: "expected an object") }
    guard let date = list["as_of"]?.string, !date.isEmpty else {
      throw Mistake(message: "as_of is to be the day when the prices held, such as \"2026-01-31\"")
    }
    if let currency = list["currency"], currency != .string("USD") {
      throw Mistake(message: "the currency is to be \"USD\"")
    }
    let unit = list["per_tokens"] ?? .number("1000000")
    guard let unit = unit.integer, unit > 0 else {
      throw Mistake(message: "per_tokens is to be a whole number of tokens, such as 1000000")
    }
    guard let members = list["models"]?.members else {
      throw Mistake(message: "models is to be an object with a member for each model")
    }
    var models: [String: Price] = [:]
    for model in members {
      models[model.key] = Price(
        input: try Self.amount("input", of: model, per: unit),
        output: try Self.amount("output", of: model, per: unit))
    }
    (self.date, self.models) = (date, models)
  }

  private static func amount(
    _ key: String, of model: JSONValue.Member, per tokens: Int
  ) throws(Mistake) -> Money {
    let spelling: String? =
      if case .number(let digits) = model.value[key] { digits } else { model.value[key]?.string }
    guard let amount = spelling.flatMap({ Money($0) }) else {
      throw Mistake(
        message:
          "\(key) of model \(model.key) is to be an amount in decimal digits, such as \"1.25\"")
    }
    guard let one = amount.divided(by: UInt64(tokens)) else {
      throw Mistake(
        message: "\(key) of model \(model.key): one token costs no whole number of 10^-12 USD")
    }
    return one
  }
}
