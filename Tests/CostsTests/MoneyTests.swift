import Costs
import JSON
import Testing

@Suite(.timeLimit(.minutes(20))) struct MoneyTests {
  @Test(
    "An amount is printed as it was spelled, with at least two digits after the point",
    arguments: [
      ("0", "0.00"), ("1.25", "1.25"), ("007.5", "7.50"), ("0.1", "0.10"), ("10", "10.00"),
      ("0.000125", "0.000125"), ("0.000000000001", "0.000000000001"),
      ("1.2500000000000000", "1.25"),
      ("18446744.073709551616", "18446744.073709551616"),
      ("18446744073709551616.000000000001", "18446744073709551616.000000000001"),
      ("340282366920938463463374607.431768211455", "340282366920938463463374607.431768211455"),
    ])
  func spelling(text: String, printed: String) {
    #expect(Money(text).map { "\($0)" } == printed)
  }

  @Test(
    "A text that is not an amount, is finer than a unit or too large is refused",
    arguments: [
      "", ".", ".5", "1.", "-1", "+1", "1e3", "1.2.3", " 1", "1,5", "0x1", "٣", "1.0000000000001",
      "340282366920938463463374607.431768211456", "999999999999999999999999999999",
    ])
  func refused(text: String) {
    #expect(Money(text) == nil)
  }

  @Test("Sums are exact where binary fractions are not, and carry beyond 64 bits")
  func sums() throws {
    let tenth = try #require(Money("0.1"))
    var sum = Money.zero
    for _ in 0..<1_000_000 { sum = try #require(sum.adding(tenth)) }
    #expect("\(sum)" == "100000.00")
    let edge = try #require(Money("18446744.073709551615"))
    let unit = try #require(Money("0.000000000001"))
    #expect(edge.adding(unit).map { "\($0)" } == "18446744.073709551616")
    #expect(edge.multiplied(by: 3).map { "\($0)" } == "55340232.221128654845")
    #expect(edge.multiplied(by: 3)?.divided(by: 3) == edge && unit.divided(by: 3) == nil)
    #expect(edge < (edge.adding(unit) ?? .zero) && unit < edge)
  }

  @Test("A result beyond the largest amount is nil, never a small amount")
  func overflow() throws {
    let largest = try #require(Money("340282366920938463463374607.431768211455"))
    let unit = try #require(Money("0.000000000001"))
    #expect(largest.adding(unit) == nil && unit.adding(largest) == nil)
    #expect(largest.multiplied(by: 2) == nil && largest.multiplied(by: 1) == largest)
    #expect(try #require(Money("18000000")).multiplied(by: .max) != nil)
    #expect(try #require(Money("340282366920938463463374607")).multiplied(by: .max) == nil)
  }

  private func prices(_ text: String) throws(Prices.Mistake) -> Prices {
    try Prices((try? JSONValue(parsing: Array(text.utf8))) ?? .null)
  }

  @Test("A price applies to per_tokens tokens, and costs are exact")
  func prices() throws {
    let list = try prices(
      #"{"as_of":"d","per_tokens":1000,"models":{"m":{"input":"0.00125","output":0.01}}}"#)
    let price = try #require(list["m"])
    #expect(price.cost(inputTokens: 1, outputTokens: 1).map { "\($0)" } == "0.00001125")
    #expect(price.cost(inputTokens: 1_000_000_000, outputTokens: 0).map { "\($0)" } == "1250.00")
    #expect(list["M"] == nil && list["m-2025"] == nil)
  }

  @Test(
    "A mistake in a list names the key",
    arguments: [
      ("[]", "expected an object"), (#"{"models":{}}"#, "as_of"),
      (#"{"as_of":"d","currency":"EUR","models":{}}"#, "currency"),
      (#"{"as_of":"d","per_tokens":0,"models":{}}"#, "per_tokens"),
      (#"{"as_of":"d"}"#, "models must be"),
      (#"{"as_of":"d","models":{"m":{"input":"1"}}}"#, "output of model m"),
      (#"{"as_of":"d","models":{"m":{"input":-1,"output":1}}}"#, "input of model m"),
      (#"{"as_of":"d","models":{"m":{"input":"0.0000001","output":1}}}"#, "not a whole number"),
    ])
  func mistakes(text: String, message: String) {
    let error = #expect(throws: Prices.Mistake.self) { try prices(text) }
    #expect(error?.message.contains(message) == true, "\(error?.message ?? "")")
  }

  @Test("The shipped list is valid, has a day, and prices the default chain of topic try")
  func shipped() throws {
    let list = try Prices(Prices.shippedList)
    #expect(list.date.wholeMatch(of: #/20\d\d-\d\d-\d\d/#) != nil)
    for model in ["gpt-5-pro", "gpt-5-2025", "gpt-5-mini-2025-08-07", "gpt-5-nano"] {
      #expect(list[model] != nil, "\(model)")
    }
    let members = Prices.shippedList["models"]?.members ?? []
    #expect(Set(members.map(\.key)).count == members.count)
    for model in members {
      let price = try #require(list[model.key])
      #expect(price.input < price.output && Money.zero < price.input, "\(model.key)")
    }
  }
}
