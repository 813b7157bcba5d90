import Costs
import POSIX
import TestSupport
import Testing

@Suite(.timeLimit(.minutes(20))) struct CostTotalTests {
  private func total(of text: Bytes) -> CostTotal {
    var total = CostTotal()
    let length = text.withUnsafeBufferPointer { total.add($0) }
    #expect(length == (text.lastIndex(of: .newline) ?? -1) + 1)
    return total
  }

  /// Reads each line as JSON.
  private func slowTotal(of text: Bytes) -> CostTotal {
    var total = CostTotal()
    for line in text.split(separator: .newline) { total.add(line: line) }
    return total
  }

  private func line(_ random: inout some RandomNumberGenerator) -> Bytes {
    func one(_ texts: String...) -> String { texts.randomElement(using: &random) ?? "" }
    func chance(_ count: Int) -> Bool { Int.random(in: 0..<count, using: &random) == 0 }
    func value(_ usual: String) -> String {
      if !chance(30) { return usual }
      return one(
        "null", "true", "[]", "{\"a\":[1]}", "1", "-1", "-0", "00", "1.0", "1e3", "1000000001",
        "9999999999999999999999", "\"\"", "\"a\\u0062\"", "\"é\"", "\"\u{301}\"", "")
    }
    func name() -> String {
      if chance(20) { return one("\"é\"", "\"e\u{301}\"", "\"writ\\u0065r\"", "\"…\"", "\"\\\"\"") }
      return chance(3) ? "\"w\(Int.random(in: 0..<1_500, using: &random))\"" : "\"writer\""
    }
    let amount = one(
      "0", "1", "0.01", "0.000000000001", "123456.789012345678", "1.2500000000000000", "007",
      "18446744073709551616.5", chance(20) ? "340282366920938463463374607.431768211455" : "2",
      chance(9) ? one("", ".", "1.", ".5", "1e3", "-1", "1.2.3", "1.0000000000001", "٣") : "3.50")
    var members = [
      "\"at\":" + value("\"2026-11-25T21:50:36Z\""), "\"role\":" + value(name()),
      "\"model\":" + value(name()),
      "\"input_tokens\":" + value(one("0", "7", "1000000000")),
      "\"output_tokens\":" + value(one("0", "12", "-0")),
    ]
    if !chance(4) { members.append("\"usd\":" + value("\"\(amount)\"")) }
    if chance(15) { members.append("\"more\":" + value("\"x\"")) }
    if chance(15) { members.append(one("\"r\\u006fle\":\"z\"", "\"role\":\"y\"", "\"usd\":\"9\"")) }
    if chance(15) { members.shuffle(using: &random) }
    if chance(30) { members.removeLast() }
    let blank = chance(10) ? one(" ", "\t", "\r", " \r ") : ""
    var line = Bytes(
      one("", "", "", blank, chance(9) ? "\u{FEFF}" : "") + "{" + blank
        + members.joined(separator: blank + "," + blank) + blank + "}" + blank)
    if chance(10) { line.removeLast(Int.random(in: 0...line.count, using: &random)) }
    if chance(20), let place = line.indices.randomElement(using: &random) {
      line[place] = .random(in: 0...255, using: &random)
    }
    return line + [.newline]
  }

  @Test("Lines read in one pass have the same sums as lines read as JSON")
  func random() {
    var random = seededRandom()
    var entries = 0
    for round in 0..<300 {
      var text = Bytes()
      for _ in 0..<(round % 50 == 0 ? 4_000 : 40) { text += line(&random) }
      let long = Bytes(
        repeating: UInt8(ascii: "w"), count: Int.random(in: 4_095...4_098, using: &random))
      text += Bytes("{\"at\":\"\",\"role\":\"") + long
      text += Bytes("\",\"model\":\"m\",\"input_tokens\":1,\"output_tokens\":1}\n")
      let (fast, slow) = (total(of: text), slowTotal(of: text))
      #expect(fast.all == slow.all && fast.unreadable == slow.unreadable)
      #expect(fast.roles.list.map(\.name) == slow.roles.list.map(\.name))
      #expect(fast.roles.list.map(\.sum) == slow.roles.list.map(\.sum))
      #expect(fast.models.list.map(\.name) == slow.models.list.map(\.name))
      #expect(fast.models.list.map(\.sum) == slow.models.list.map(\.sum))
      entries += fast.all.entries
    }
    #expect(entries > 15_000, "\(entries)")
  }

  @Test("A short amount is the same as with zeros before it")
  func amounts() {
    var random = seededRandom()
    for _ in 0..<20_000 {
      let text = String(
        decoding: (0..<Int.random(in: 0...22, using: &random)).map { _ in
          Bytes("00123456789.").randomElement(using: &random) ?? 0
        }, as: UTF8.self)
      let long = String(repeating: "0", count: 20) + text
      let isAmount = text.first.map { $0 != "." } ?? false
      #expect(Money(text) == (isAmount ? Money(long) : nil), "\(text)")
    }
  }
}
