import Foundation
import POSIX
import TestSupport
import Testing
import TopicAllocation

@testable import CommandLine

@Suite(.timeLimit(.minutes(20))) struct OutputTests {
  private func randomBytes(_ count: Int, _ random: inout some RandomNumberGenerator) -> Bytes {
    (0..<count).map { _ in
      Bool.random(using: &random)
        ? UInt8.random(in: 1...255, using: &random)
        : Bytes("'\"\\ $`\n|;&").randomElement(using: &random) ?? 0x27
    }
  }

  @Test("A shell reads back every word that is quoted for it", arguments: ["sh", "bash"])
  func shellWords(shell: String) throws {
    var random = seededRandom()
    let words =
      (0..<100).map { _ in randomBytes(20, &random) } + [
        Bytes(), Bytes("'"), Bytes("-n"), Bytes("~"),
      ]
    let script = words.reduce(into: Bytes()) {
      $0 += Bytes("printf '%s\\0' ") + $1.quotedForShell + [.newline]
    }
    let output = try run([shell], input: Data(script)).output
    #expect(Bytes(output) == words.reduce(into: Bytes()) { $0 += $1 + [0] })
  }

  @Test("No name can act on a terminal through a message")
  func messages() {
    let quoted = (Bytes("a'\u{1B}[31m\n\u{202E}\u{9B}") + [0xFF]).quotedForMessage
    #expect(quoted == "'a'\\u{1b}[31m\\n\\u{202e}\\u{9b}\u{FFFD}'")
    #expect(Bytes("can't C:\\dir").quotedForMessage == "'can't C:\\dir'")
    #expect(Bytes(repeating: 0x61, count: 5_000).quotedForMessage.count < 4_200)
    #expect(Bytes(repeating: 0x61, count: 5_000).printable.count == 5_000)
  }

  @Test("JSON has exactly the keys of the contract, in its order")
  func contractKeys() throws {
    let topic = try #require(Topic(Bytes("042_a"), in: Path("/p/specs"), .topic))
    let context = TopicContext(project: Path("/p"), root: Path("/p/specs"), .topic)
    let text = String(decoding: TopicFormat.json.text(topic, context), as: UTF8.self)
    #expect(
      text == """
        {
          "topic_number": "042",
          "topic_name": "a",
          "topic_path": "/p/specs/042_a",
          "project_root": "/p",
          "specs_dir": "/p/specs",
          "artifact_paths": {
            "reports": "/p/specs/042_a/reports",
            "plans": "/p/specs/042_a/plans",
            "summaries": "/p/specs/042_a/summaries",
            "debug": "/p/specs/042_a/debug",
            "scripts": "/p/specs/042_a/scripts",
            "outputs": "/p/specs/042_a/outputs"
          }
        }

        """)
  }

  @Test("File styles have no artifacts")
  func fileStyle() throws {
    let topic = try #require(Topic(Bytes("0042-a.md"), in: Path("/p/adr"), .adr))
    let context = TopicContext(project: Path("/p"), root: Path("/p/adr"), .adr)
    let line = String(decoding: TopicFormat.jsonl.text(topic, context), as: UTF8.self)
    #expect(
      line == #"{"topic_number":"0042","topic_name":"a","topic_path":"/p/adr/0042-a.md","#
        + #""project_root":"/p","specs_dir":"/p/adr"}"# + "\n")
    let shell = String(decoding: TopicFormat.shell.text(topic, context), as: UTF8.self)
    #expect(!shell.contains("REPORTS_DIR"))
  }

  @Test("A format refuses a root that it cannot carry")
  func refusals() {
    let invalid = Path([0x2F, 0xFF])
    let newline = Path("/a\nb")
    for format in TopicFormat.allCases {
      let carriesInvalid = (try? format.check(invalid, topics: 1)) != nil
      #expect(carriesInvalid == ![TopicFormat.json, .jsonl].contains(format))
      #expect((try? format.check(newline, topics: 1)) != nil)
      let carriesNewlines = (try? format.check(newline, topics: 2)) != nil
      #expect(carriesNewlines == ![TopicFormat.path, .pipe].contains(format))
    }
  }
}
