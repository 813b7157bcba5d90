import Foundation
import JSON
import Metrics
import POSIX
import Runs
import TestSupport
import Testing

@Suite(.timeLimit(.minutes(20))) struct MetricsAggregatesTests {
  let directory = TemporaryDirectory()
  private var file: MetricsFile { MetricsFile(Path(directory("m"))) }
  private var aggregates: MetricsAggregates {
    MetricsAggregates(
      of: file, in: Path(directory("out")), .init(by: "epoch", required: ["status", "duration"]),
      duration: "duration")
  }

  private func read(_ name: String) throws -> JSONValue {
    let data = try Data(contentsOf: URL(fileURLWithPath: directory("out/\(name).json")))
    return try JSONValue(parsing: Bytes(data))
  }

  private func update() throws -> MetricsAggregates.Update {
    try aggregates.update(until: .now + .seconds(10))
  }

  private let first = """
    {"status":"failed"}
    {"status":"passed","duration":10,"epoch":1}
    {"status":"failed","duration":30,"epoch":2}
    {"status":"passed","duration":20,"epoch":"2"}

    """

  @Test("Aggregates hold the totals of the entries")
  func files() throws {
    try directory.makeFile("m", first)
    #expect(try update().new == 4)
    #expect(try read("baseline")["duration"]?.double == 10)
    #expect(try read("post-rollout")["entries"]?.integer == 2)
    #expect(try read("post-rollout")["success_rate"]?.double == 0.5)
    #expect(try read("completeness")["share"]?.double == 0.75)
    #expect(try read("completeness")["fields"]?["status"]?["share"]?.double == 1)
    let delta = try read("mttr-delta")
    #expect(delta["mean"]?.double == 25 && delta["delta"]?.double == 15)
    #expect(delta["change_percent"]?.double == 150 && delta["count"]?.integer == 2)
    let groups = try #require(try read("per-epoch")["groups"]?.elements)
    #expect(groups.map { $0["value"]?.string } == ["", "1", "2"])
    #expect(groups[2]["entries"]?.integer == 2)
    #expect(groups[2]["fields"]?["duration"]?["p50"]?.double == 20)
  }

  @Test("Later calls read only what is new, and reach the result of a single call")
  func increments() throws {
    var random = seededRandom()
    var all = ""
    for round in 0..<12 {
      var text = ""
      for _ in 0..<Int.random(in: 0...40, using: &random) {
        let duration = Double.random(in: 0...100, using: &random)
        text += "{\"status\":\"ok\",\"duration\":\(duration),\"epoch\":\(Int(duration) % 3)}\n"
      }
      all += text
      if round == 6 { _ = try file.rotate(.lines(1), until: .now + .seconds(10)) }
      // A cut line counts when it is complete, and only once even if its newline comes later.
      let missing = text.isEmpty ? 0 : [0, 1, 5].randomElement(using: &random) ?? 0
      let cut = Bytes(text).dropLast(missing)
      try file.append(Bytes(cut))
      let count = try update().summary.all.entries
      #expect(count == all.split(separator: "\n").count - (missing == 5 ? 1 : 0))
      let rest = Bytes(Bytes(text).dropFirst(cut.count))
      if !rest.isEmpty {
        let handle = try #require(FileHandle(forWritingAtPath: directory("m")))
        handle.seekToEndOfFile()
        handle.write(Data(rest))
        try handle.close()
      }
      let update = try update()
      #expect(update.rebuilt == nil)
      #expect(update.summary.all.entries == all.split(separator: "\n").count)
    }
    let names = ["baseline", "post-rollout", "completeness", "per-epoch", "mttr-delta"]
    let increments = try names.map {
      try String(contentsOfFile: directory("out/\($0).json"), encoding: .utf8)
    }
    try FileManager.default.removeItem(atPath: directory("out"))
    _ = try update()
    let whole = try names.map {
      try String(contentsOfFile: directory("out/\($0).json"), encoding: .utf8)
    }
    #expect(increments == whole)
  }

  @Test("A line that is too long counts once, no matter how often it is read while it grows")
  func tooLong() throws {
    func add(_ text: String) throws {
      let handle = try #require(FileHandle(forWritingAtPath: directory("m")))
      handle.seekToEndOfFile()
      handle.write(Data(text.utf8))
      try handle.close()
    }
    let long = String(repeating: "x", count: LineFile.longestLine + 1)
    try directory.makeFile("m", first)
    for text in [long, "", "x", long] {
      try add(text)
      let update = try update()
      #expect(update.summary.unreadable == 0 && update.cut == 1 && update.rebuilt == nil)
    }
    for text in ["x\n", first, long + "\n" + long] {
      try add(text)
      _ = try update()
    }
    let update = try update()
    #expect(update.summary.unreadable == 2 && update.cut == 1 && update.rebuilt == nil)
    #expect(update.summary.all.entries == 8)
  }

  @Test("A state whose counts contradict each other is damaged")
  func contradictions() throws {
    try directory.makeFile("m", first)
    #expect(try update().rebuilt == nil)
    let state = try String(contentsOfFile: directory("out/state.json"), encoding: .utf8)
    for (member, value) in [
      ("complete", "9000"), ("entries", "1"), ("count", "9000"), ("first", "-1e9"), ("min", "1e9"),
      ("max", "-1e9"),
    ] {
      let changed = state.replacing(try Regex("\"\(member)\": ?[-0-9.e+]+"), maxReplacements: 1) {
        _ in
        "\"\(member)\":\(value)"
      }
      try #require(changed != state, "\(member): \(state)")
      try directory.makeFile("out/state.json", changed)
      #expect(try update().rebuilt?.contains("damaged") == true, "\(member)")
    }
    #expect(try update().rebuilt == nil)
  }

  @Test(
    "If the metrics were truncated, replaced or rewritten, everything is read again, with the reason"
  )
  func rebuilds() throws {
    let later = first + first
    for change in [
      String(first.dropLast(60)), "", first.replacingOccurrences(of: "10", with: "11"),
    ] {
      try directory.makeFile("m", later)
      try? FileManager.default.removeItem(atPath: directory("out"))
      #expect(try update().rebuilt == nil)
      let handle = try #require(FileHandle(forWritingAtPath: directory("m")))
      handle.truncateFile(atOffset: 0)
      handle.write(Data((change + change).utf8))
      try handle.close()
      let update = try update()
      #expect(update.rebuilt != nil && update.summary.all.entries == update.new)
    }
    try directory.makeFile("out/state.json", "{\"version\":1")
    #expect(try update().rebuilt?.contains("damaged") == true)
    try FileManager.default.removeItem(atPath: directory("m"))
    try directory.makeFile("m", first)
    #expect(try update().rebuilt != nil)
    #expect(directory.entries("out").count == 6, "no temporary file is left")
  }

  @Test(
    "Beyond the limits on memory, a later call still continues, and says that something is left out"
  )
  func many() throws {
    let keys = (0..<40).map { "\"k\($0)\":\($0)" }.joined(separator: ",")
    let lines = (0..<1_100).map { "{\"status\":\"ok\",\"epoch\":\($0),\(keys)}\n" }.joined()
    try directory.makeFile("m", lines)
    #expect(try update().summary.isBounded)
    try file.append(Bytes("{\"status\":\"ok\",\"epoch\":1}\n"))
    let update = try update()
    #expect(update.rebuilt == nil && update.new == 1 && update.summary.isBounded)
    #expect(try read("per-epoch")["bounded"]?.bool == true)
  }
}
