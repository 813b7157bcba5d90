import JSON

/// A list of the prices of models.
public struct Prices: Sendable {
  /// The price of a model.
  public struct Price: Hashable, Sendable {
    /// The price of a token that it reads.
    public let input: Money
    /// The price of a token that it writes.
    public let output: Money

    /// The cost of a call; nil if it is too large for ``Money``.
    public func cost(inputTokens: Int, outputTokens: Int) -> Money? {
      guard let input = input.multiplied(by: UInt64(inputTokens)),
        let output = output.multiplied(by: UInt64(outputTokens))
      else { return nil }
      return input.adding(output)
    }
  }

  /// The reason why a value is not a list of prices.
  public struct Mistake: Error {
    /// What is wrong, and where.
    public let message: String
  }

  /// The day of the prices, as the list spells it.
  public let date: String
  private let models: [String: Price]

  /// The price of the model with exactly this name; nil if the list does not have it.
  public subscript(model: String) -> Price? { models[model] }

  /// Reads a list such as `topic cost prices` prints. Prices are strings or numbers in decimal
  /// digits, for `per_tokens` tokens (1,000,000 by default).
  public init(_ list: JSONValue) throws(Mistake) {
    guard list.members != nil else { throw Mistake(message: "expected an object") }
    guard let date = list["as_of"]?.string, !date.isEmpty else {
      throw Mistake(message: "as_of must be the day of the prices, such as \"2026-01-31\"")
    }
    if let currency = list["currency"], currency != .string("USD") {
      throw Mistake(message: "currency must be \"USD\"")
    }
    let unit = list["per_tokens"] ?? .number("1000000")
    guard let unit = unit.integer, unit > 0 else {
      throw Mistake(message: "per_tokens must be a whole number of tokens, such as 1000000")
    }
    guard let members = list["models"]?.members else {
      throw Mistake(message: "models must be an object with a member for each model")
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
          "\(key) of model \(model.key) must be an amount in decimal digits, such as \"1.25\"")
    }
    guard let one = amount.divided(by: UInt64(tokens)) else {
      throw Mistake(
        message:
          "\(key) of model \(model.key): the price of one token is not a whole number of 10^-12 USD"
      )
    }
    return one
  }
}
