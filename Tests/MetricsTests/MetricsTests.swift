import Foundation
import JSON
import Metrics
import POSIX
import TestSupport
import Testing

@Suite(.timeLimit(.minutes(20))) struct MetricsTests {
  let directory = TemporaryDirectory()
  private var file: MetricsFile { MetricsFile(Path(directory("metrics"))) }

  private func summary(
    _ text: String, _ question: MetricsSummary.Question = .init()
  ) throws -> MetricsSummary {
    try directory.makeFile("metrics", text)
    var summary = MetricsSummary(question)
    let cut = try summary.add(file).cut
    summary.addUnreadable(cut)
    return summary
  }

  @Test("Totals, success rate, completeness and means are those of the readable lines")
  func sums() throws {
    let text = """
      {"status":"passed","n":1,"x":"a"}
      {"status":"failed","n":3}
      garbage
      [1]
      {"status":"ok","n":5,"x":null}
      {"status":"pas
      """
    let summary = try summary(text, .init(required: ["n", "x"], latest: 10))
    #expect(summary.all.entries == 3 && summary.all.passed == 2 && summary.unreadable == 3)
    #expect(summary.complete == 1 && summary.all.successRate == 2.0 / 3)
    #expect(summary.present == [3, 1])
    let field = summary.field("n", of: summary.all)
    #expect(field?.mean == 3 && field?.first == 1 && field?.count == 3)
    #expect(field?.lowest == 1 && field?.highest == 5)
    #expect(summary.field("x", of: summary.all) == nil)
    #expect(summary.latest("n") == [1, 3, 5])
    #expect(summary.baseline == Bytes(#"{"status":"passed","n":1,"x":"a"}"#))
  }

  @Test(
    "The latest values are the last ones, and entries that do not meet the condition do not count")
  func latestAndConditions() throws {
    let lines = (1...25).map { "{\"n\":\($0),\"k\":\"v\($0 % 2)\"}\n" }.joined()
    #expect(try summary(lines, .init(latest: 3)).latest("n") == [23, 24, 25])
    let odd = try summary(lines, .init(where: [.init("k", "v1")], latest: 3))
    #expect(odd.latest("n") == [21, 23, 25] && odd.all.entries == 13)
    #expect(try summary(lines, .init(where: [.init("n", "7")])).all.entries == 1)
  }

  @Test("Memory stays the same however many keys and groups there are, and isBounded says so")
  func bounds() throws {
    let keys = try summary((0..<2_000).map { "{\"f\($0)\":1}\n" }.joined())
    #expect(keys.fields(of: keys.all).count < 1_025 && keys.isBounded)
    let groups = try summary((0..<2_000).map { "{\"g\":\($0)}\n" }.joined(), .init(by: "g"))
    #expect(groups.groups.count == MetricsSummary.mostGroups + 1 && groups.isBounded)
    #expect(groups.groups.reduce(0) { $0 + $1.tally.entries } == 2_000)
    let numbers = (0..<600).map { key in
      "{" + (-300..<300).map { "\"k\(key)\":1e\($0)" }.joined(separator: "}\n{") + "}\n"
    }
    let spread = try summary(numbers.joined())
    #expect(spread.isBounded && spread.all.entries == 360_000)
  }

  @Test("Memory stays the same however long a key or value is, and isBounded says so")
  func longTexts() throws {
    let long = String(repeating: "x", count: 5_000)
    for nested in ["", ",\"a\":[]"] {
      let keys = try summary("{\"\(long)\":1,\"n\":2\(nested)}\n{\"n\":3}\n")
      #expect(keys.keys.contains("n") && !keys.keys.contains(long) && keys.isBounded)
      #expect(keys.field("n", of: keys.all)?.sum == 5)
      let groups = try summary(
        "{\"g\":\"\(long)1\"\(nested)}\n{\"g\":1}\n{\"g\":\"\(long)2\"\(nested)}\n", .init(by: "g"))
      #expect(groups.groups.map { String(decoding: $0.value, as: UTF8.self) } == ["…", "1"])
      #expect(groups.groups[0].tally.entries == 2 && groups.isBounded)
    }
    let values = "[" + String(repeating: "{\"k\": [1, 2]},", count: 100_000) + "1]"
    let nested = try summary(
      "{\"n\":1,\"g\":\(values)}\n{\"g\": {\"k\": [ 1, \"é\\u00e9\" ]}}\n", .init(by: "g"))
    #expect(nested.all.entries == 2 && nested.field("n", of: nested.all)?.sum == 1)
    #expect(
      nested.groups.map { String(decoding: $0.value, as: UTF8.self) } == ["…", #"{"k":[1,"éé"]}"#])
    let entry = "{\"status\":\"ok\",\"x\":\"\(String(repeating: "x", count: 1 << 20))\"}"
    #expect(try summary("\(entry)\n{\"status\":1}\n").baseline == Bytes("{\"status\":1}"))
  }

  @Test("Percentiles are within the bound for numbers of any sign and size")
  func percentiles() throws {
    var random = seededRandom()
    for scale in [1e-300, 1e-3, 1, 1e6, 1e300] {
      let numbers = (0..<999).map { _ in Double.random(in: -1...1, using: &random) * scale }
      let text = numbers.map { "{\"n\":\($0)}\n" }.joined()
      let summary = try summary(text)
      let sorted = numbers.sorted()
      let found = try #require(
        summary.field("n", of: summary.all)?.percentiles([0.05, 0.5, 0.95, 0.99, 1]))
      for (share, value) in zip([0.05, 0.5, 0.95, 0.99, 1], found) {
        let exact = sorted[max(Int((share * 999).rounded(.up)), 1) - 1]
        #expect(abs(value - exact) <= abs(exact) * Histogram.errorBound * 1.000001)
      }
    }
    let whole = try summary((1...100).map { "{\"n\":\($0)}\n" }.joined())
    #expect(whole.field("n", of: whole.all)?.percentiles([0.04, 0.5, 1]) == [4, 50, 100])
  }

  @Test("Zeros are zeros, beside numbers of any sign")
  func zeros() throws {
    let one = try summary("{\"n\":0}\n{\"n\":-0.0}\n{\"n\":1.5}\n")
    #expect(one.field("n", of: one.all)?.percentiles([0.3, 0.5, 1]) == [0, 0, 1.5])
    var random = seededRandom()
    for _ in 0..<200 {
      let count = Int.random(in: 1...60, using: &random)
      let numbers = (0..<count).map { _ -> Double in
        switch Int.random(in: 0...4, using: &random) {
        case 0: 0.0
        case 1: -0.0
        case 2: Double(Int.random(in: -5...5, using: &random))
        case 3: Double.random(in: -1...1, using: &random)
        default:
          Double.random(in: 1...10, using: &random)
            * (Bool.random(using: &random) ? 1e-300 : -1e300)
        }
      }
      let summary = try summary(numbers.map { "{\"n\":\($0)}\n" }.joined())
      let sorted = numbers.sorted()
      let shares = [0.01, 0.25, 0.5, 0.75, 0.99, 1]
      let found = try #require(summary.field("n", of: summary.all)?.percentiles(shares))
      for (share, value) in zip(shares, found) {
        let exact = sorted[max(Int((share * Double(count)).rounded(.up)), 1) - 1]
        #expect(
          abs(value - exact) <= abs(exact) * Histogram.errorBound, "\(share) of \(numbers)")
      }
    }
  }

  @Test("A last entry that only lacks its newline counts, in each segment")
  func unended() throws {
    try directory.makeFile("metrics.20200101T000000Z-001", "{\"n\":1}")
    let summary = try summary("{\"n\":2}\n{\"n\":3}")
    #expect(summary.all.entries == 3 && summary.unreadable == 0)
    #expect(summary.field("n", of: summary.all)?.sum == 6)
    let cut = try self.summary("{\"n\":2}\n{\"n\":3")
    #expect(cut.all.entries == 2 && cut.unreadable == 1)
    let other = try self.summary("{\"n\":2}\n[3]")
    #expect(other.all.entries == 2 && other.unreadable == 1)
    #expect(try self.summary("{\"n\":2}\n  ").unreadable == 0)
  }

  @Test("The fast way and the way through JSON values read the same in the same lines")
  func bothWays() throws {
    var random = seededRandom()
    let pieces = [
      "{", "}", "\"n\"", "\"m\"", "\"status\"", ":", ",", " ", "1", "-0.5", "1e3", "01", "1.", "-",
      "\"ok\"", "\"a\\n\"", "\"ü\"", "null", "true", "nul", "[1]", "\t", "{\"n\":",
      "12345678901234567890",
      "0.1234567890123456789", "1e999", "\u{1}",
    ]
    for _ in 0..<20_000 {
      let line = (0..<Int.random(in: 1...14)).map { _ in
        pieces.randomElement(using: &random) ?? ""
      }.joined()
      try check(line)
    }
    for line in [
      #"{"n":1,"n":2}"#, #"{"n":1,"n":null}"#, #"{"n": 0.1 , "m" : 1.7976931348623157e308}"#, "{}",
      "{ }",
      #"{"n":9007199254740993}"#, #"{"n":123456789012345.678}"#, #"{"n":1}x"#, #"{"n":1,}"#, "{,}",
      #"{"n":-0}"#, #"{"n":00}"#, #"{"n":1}  "#,
    ] { try check(line) }
  }

  /// Checks what the summary reads in a line against its JSON value.
  private func check(_ line: String) throws {
    let fast = try summary(line + "\n")
    let value = try? JSONValue(parsing: Bytes(line))
    let isBlank = line.allSatisfy { $0 == " " || $0 == "\t" }
    #expect(fast.all.entries == (value?.members == nil ? 0 : 1), "\(line)")
    #expect(fast.unreadable == (value?.members == nil && !isBlank ? 1 : 0), "\(line)")
    for key in ["n", "m"] {
      #expect(
        fast.field(key, of: fast.all)?.first == value?[key]?.double
          && fast.field(key, of: fast.all)?.count == value?[key]?.double.map { _ in 1 }, "\(line)")
    }
  }

  @Test("Every line of random bytes counts as an entry, unreadable or cut")
  func random() throws {
    var random = seededRandom()
    for _ in 0..<200 {
      let bytes = (0..<300).map { _ in UInt8.random(in: 0...255, using: &random) }
      try Data(bytes).write(to: URL(fileURLWithPath: directory("metrics")))
      var summary = MetricsSummary(.init(by: "n"))
      let cut = try summary.add(file).cut
      let lines = bytes.split(separator: 10).count
      #expect(summary.all.entries + summary.unreadable + cut <= lines)
    }
  }

  @Test("Segments are read oldest first, and new names sort last even if the clock goes back")
  func segments() throws {
    try directory.makeFile("metrics", "{\"n\":3}\n")
    try directory.makeFile("metrics.20990101T000000Z-001", "{\"n\":2}\n")
    try directory.makeFile("metrics.20200101T000000Z-002", "{\"n\":1}\n")
    try directory.makeFile("metrics.old", "{\"n\":9}\n")
    var before = MetricsSummary(.init(latest: 9))
    try before.add(file)
    #expect(before.latest("n") == [1, 2, 3])
    let segment = try file.rotate(.lines(1), until: .now + .seconds(10))
    #expect(segment?.lastComponent == Bytes("metrics.20990101T000000Z-002"))
    #expect(try file.rotate(.lines(1), until: .now + .seconds(10)) == nil)
    try file.append(Bytes("{\"n\":4}\n"))
    var after = MetricsSummary(.init(latest: 9))
    try after.add(file)
    #expect(after.latest("n") == [1, 2, 3, 4])
  }
}
