import Costs
import Foundation
import POSIX
import TestSupport
import Testing

/// cost.state.json, which holds the sums of the beginning of a ledger.
@Suite(.timeLimit(.minutes(20))) struct CostStateTests {
  let directory = TemporaryDirectory()
  private var run: String { directory("run") }
  private var file: String { run + "/cost.jsonl" }
  private var state: String { run + "/cost.state.json" }
  private let line =
    #"{"at":"t","role":"r","model":"m","input_tokens":3,"output_tokens":4,"usd":"0.10"}"# + "\n"

  init() throws { try directory.makeDirectories("run") }

  private func append(_ text: String) throws {
    let file = try Descriptor.appending(to: Path(file))
    try file.write(Bytes(text))
  }

  private func total(_ run: String? = nil) throws -> CostTotal {
    try CostLedger(Path(run ?? self.run)).total()
  }

  /// What the total must be, read without a state.
  private func expectRightSums(_ run: String? = nil) throws {
    let run = run ?? self.run
    let found = try total(run)
    var right = CostTotal()
    let text = Bytes(try Data(contentsOf: URL(fileURLWithPath: run + "/cost.jsonl")))
    for line in text.split(separator: .newline) { right.add(line: line) }
    #expect(found.all == right.all && found.unreadable == right.unreadable)
    #expect(found.roles.list.map(\.name) == right.roles.list.map(\.name))
    #expect(found.roles.list.map(\.sum) == right.roles.list.map(\.sum))
    #expect(found.models.list.map(\.sum) == right.models.list.map(\.sum))
  }

  private func change(_ old: String, _ new: String) throws {
    let text = try String(contentsOfFile: state, encoding: .utf8)
    #expect(text.contains(old))
    try directory.makeFile(
      "run/cost.state.json", text.replacing(old, with: new, maxReplacements: 1))
  }

  /// Makes a ledger and a state that says that seven lines are unreadable, so a total shows
  /// whether the state was believed.
  private func makeMarkedState() throws {
    try append(String(repeating: line, count: 1_000))
    try expectRightSums()
    try change(#""unreadable":0"#, #""unreadable":7"#)
    #expect(try total().unreadable == 7)
  }

  @Test("A small ledger gets no state, and a state is replaced after 64 KiB of new lines")
  func interval() throws {
    try append(String(repeating: line, count: 700))
    try expectRightSums()
    #expect(!FileManager.default.fileExists(atPath: state))
    try append(String(repeating: line, count: 200))
    try expectRightSums()
    let first = try Data(contentsOf: URL(fileURLWithPath: state))
    try append(String(repeating: line, count: 200))
    try expectRightSums()
    #expect(try Data(contentsOf: URL(fileURLWithPath: state)) == first)
    try append(String(repeating: line, count: 700))
    try expectRightSums()
    #expect(try Data(contentsOf: URL(fileURLWithPath: state)) != first)
  }

  @Test("Sums are right after appends of any length, with torn, long and repeated lines")
  func appends() throws {
    var random = seededRandom()
    let pieces = [
      line, line.replacing("\"r\"", with: "\"é\""),
      line.replacing("\"usd\":\"0.10\"", with: "\"x\":1"),
      "{\"at\"", "\n", "garbage\n", "\n\n",
    ]
    for _ in 0..<60 {
      var text = ""
      for _ in 0..<Int.random(in: 0...20, using: &random) {
        let piece = pieces.randomElement(using: &random) ?? ""
        text += String(repeating: piece, count: Int.random(in: 1...100, using: &random))
      }
      try append(text)
      try expectRightSums()
    }
    #expect(FileManager.default.fileExists(atPath: state))
  }

  @Test("A line that is too long counts once, before and after its newline")
  func longLine() throws {
    try append(String(repeating: line, count: 1_000))
    try append(String(repeating: "x", count: 17_000_000))
    for _ in 0..<2 { #expect(try total().unreadable == 1) }
    try append("x\n" + line)
    for _ in 0..<2 {
      let total = try total()
      #expect(total.unreadable == 1 && total.all.entries == 1_001)
    }
  }

  @Test(
    "A ledger that was truncated, replaced, copied or edited is read in full",
    arguments: [
      "truncate -s 500 cost.jsonl", "truncate -s -1 cost.jsonl", ": >cost.jsonl",
      "cp cost.jsonl x; mv x cost.jsonl", "head -n 900 cost.jsonl >x; cat x >cost.jsonl",
      "sed -i 's/0.10/0.20/' cost.jsonl", "sed 's/0.10/0.20/' cost.jsonl >x; cat x x x >cost.jsonl",
      "sed '500s/0.10/0.20/' cost.jsonl >x; cat x >cost.jsonl",
      "sed '500s/0.10/0.2/' cost.jsonl >x; cat x cost.jsonl >y; cat y >cost.jsonl",
      "sed '999s/0.10/0.20/' cost.jsonl >x; cat x x >cost.jsonl",
      "sed '2s/0.10/0.20/' cost.jsonl >x; cat x x >cost.jsonl",
      "rm cost.jsonl; head -n 3 ../other >cost.jsonl",
    ])
  func changed(script: String) throws {
    try makeMarkedState()
    try directory.makeFile("other", String(repeating: line, count: 5))
    try bash(script, in: run)
    try expectRightSums()
    try append(line)
    try expectRightSums()
  }

  @Test("A copied run is read in full")
  func copied() throws {
    try makeMarkedState()
    try bash("cp -a run copy", in: directory.path)
    try expectRightSums(directory("copy"))
    #expect(try total().unreadable == 7)
  }

  @Test(
    "A damaged state is not believed",
    arguments: [
      (#""version":1"#, #""version":2"#), (#""entries":1000"#, #""entries":1001"#),
      (#""entries":1000"#, #""entries":-1"#), (#""usd":"100.00""#, #""usd":"x""#),
      (#""unpriced":0"#, #""unpriced":1001"#), (#""offset":8"#, #""offset":7"#),
      (#""offset":8"#, #""offset":99999999999"#), (#""offset":8"#, #""offset":-8"#),
      (#""input_tokens":3000"#, #""input_tokens":9223372036854775807"#),
      (#""inode":""#, #""inode":"1"#), (#""device":""#, #""device":"1"#),
      (#""sha256_of_ends":""#, #""sha256_of_ends":"0"#), (#""seen":""#, #""seen":"1"#),
      (#""models":[{"name":"m""#, #""models":[{"name":7"#), (#""roles":["#, #""roles":[[],"#),
      ("}\n", ""), ("{", "\0"),
    ])
  func damaged(old: String, new: String) throws {
    try makeMarkedState()
    try change(old, new)
    let isOnlyUnseen = old.contains("seen")
    try isOnlyUnseen ? #expect(total().unreadable == 7) : expectRightSums()
  }

  @Test("A state that somebody else could have written is not believed")
  func strangers() throws {
    try makeMarkedState()
    chmod(state, 0o666)
    try expectRightSums()
    try change(#""unreadable":0"#, #""unreadable":7"#)
    chmod(state, 0o644)
    #expect(try total().unreadable == 7)
    if chown(state, 12_345, gid_t.max) == 0 { try expectRightSums() }
  }

  @Test("A state that cannot be read or written is no error")
  func unusable() throws {
    try append(String(repeating: line, count: 1_000))
    for script in [
      "mkdir cost.state.json", "mkfifo cost.state.json", "ln -s cost.jsonl cost.state.json",
    ] {
      try bash("rm -rf cost.state.json; " + script, in: run)
      try expectRightSums()
    }
    #expect(try bash("test -L cost.state.json", in: run).code == 0)
  }

  @Test("The state grants no more than the ledger")
  func permissions() throws {
    try append(String(repeating: line, count: 1_000))
    chmod(file, 0o600)
    _ = try total()
    #expect(try FileStatus.of(Path(state)).permissions == 0o600)
  }
}
