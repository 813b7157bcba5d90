import Foundation
import TestSupport
import Testing

/// `topic metrics`, with real writers.
@Suite(.timeLimit(.minutes(20))) struct MetricsToolTests {
  let directory = TemporaryDirectory()
  private var file: String { directory("m.jsonl") }

  private func topic(_ words: String..., input: String = "") throws -> TestSupport.Outcome {
    try run([Product.topic, "metrics"] + words, input: Data(input.utf8))
  }

  @Test("Pairs, objects and lines become entries, and an error names the place of anything else")
  func append() throws {
    let nested = directory("a/b/m.jsonl")
    #expect(
      try topic("append", nested, "status=passed", "n=1.50", "s=1x", "t=true", "e=").code == 0)
    #expect(try topic("append", nested, "{\"a\":\n1}", "{}").code == 0)
    #expect(try topic("append", nested, input: "{\"b\": 2}\n\n").code == 0)
    let text = try String(contentsOfFile: nested, encoding: .utf8)
    #expect(
      text == """
        {"status":"passed","n":1.50,"s":"1x","t":true,"e":""}
        {"a": 1}
        {}
        {"b": 2}

        """)
    let bad = try topic("append", nested, input: "{\"c\":3}\n[1]\n{}\n")
    #expect(bad.code == 65 && bad.error.contains("line 2 is not a JSON object"))
    #expect(bad.error.contains("entries written: 1"))
    for words in [["n"], ["=1"], ["n=1", "n=2"], ["n=1", "{}"]] {
      #expect(try run([Product.topic, "metrics", "append", nested] + words).code == 64, "\(words)")
    }
    let count = try String(contentsOfFile: nested, encoding: .utf8).split(separator: "\n").count
    #expect(count == 5)
  }

  @Test("A summary is a table, an object or a page that escapes all text")
  func summary() throws {
    try directory.makeFile(
      "m.jsonl",
      "{\"status\":\"ok\",\"<b>\":2,\"g\":\"x\"}\n{\"status\":\"bad\",\"<b>\":4}\nnonsense\n{\"cu")
    let table = try topic("summary", file)
    #expect(table.code == 0 && table.error.isEmpty)
    #expect(
      table.text == """
        2 entries, 50 % succeeded, 1 line unreadable, 1 cut at the end
             count  mean  min  max  p50  p95  p99
        <b>      2     3    2    4    2    4    4

        """)
    #expect(
      try topic("summary", "--by", "g", file).text.contains("g = x: 1 entry, 100 % succeeded"))
    #expect(
      try topic("summary", "--success", "bad", "--where", "status=bad", file).text.hasPrefix(
        "1 entry, 100 %"))
    let json = try topic("summary", "-f", "json", file)
    #expect(json.text.contains("\"p95\": 4") && json.text.contains("\"cut\": 1"))
    let page = try topic("summary", "-f", "html", file).text
    #expect(page.contains("&lt;b&gt;") && !page.contains("<b>"))
    let missing = try topic("summary", directory("none"))
    #expect(missing.code == 66 && missing.error.contains("no such metrics"))
  }

  @Test("Concurrent writers, rotations and aggregates lose no entry and count none twice")
  func concurrent() throws {
    let outcome = try bash(
      """
      for w in 1 2 3 4 5; do
        for i in $(seq 60); do topic metrics append --sync never m.jsonl status=ok w=$w i=$i; done &
      done
      for i in $(seq 40); do topic metrics rotate --max-lines 7 m.jsonl; done >segments &
      for i in $(seq 20); do topic metrics aggregate --out out m.jsonl 2>/dev/null || :; done &
      for i in $(seq 20); do topic metrics aggregate --out out m.jsonl 2>/dev/null || :; done
      wait
      topic metrics aggregate --out out m.jsonl
      cat m.jsonl* | sort | uniq -d
      jq .entries out/completeness.json
      topic metrics summary -f json m.jsonl | jq .entries
      cat $(cat segments) m.jsonl | wc -l
      test "$(wc -l <segments)" -gt 3
      """, in: directory.path)
    #expect(
      outcome.code == 0 && outcome.lines == ["300", "300", "300"], "\(outcome.text)\(outcome.error)"
    )
  }

  @Test("After a crash or a full disk during an aggregation, the next call repairs the files")
  func crashes() throws {
    try directory.makeFile("m.jsonl", "{\"status\":\"ok\",\"duration\":3}\n")
    let words = [Product.topic, "metrics", "aggregate", "--out", directory("out"), file]
    for call in ["open", "creat", "write", "fsync", "renameat"] {
      for end in ["kill", "\(ENOSPC)"] {
        var number = 1
        while true {
          // Without a new entry, nothing is written.
          try bash("echo '{\"status\":\"ok\",\"duration\":3}' >>m.jsonl", in: directory.path)
          let fault = "\(call):\(number):\(end)"
          let outcome = try run(words, environment: ["POSIX_FAULT": fault], mayMiss: true)
          for name in directory.entries("out") where name.hasSuffix(".json") {
            let text = try String(contentsOfFile: directory("out/\(name)"), encoding: .utf8)
            #expect(text.hasSuffix("}\n"), "\(name) after \(fault)")
          }
          if end != "kill" {
            let all = try FileManager.default.contentsOfDirectory(atPath: directory("out"))
            #expect(!all.contains { $0.hasSuffix(".tmp") }, "\(fault): \(all)")
          }
          if outcome.faults.isEmpty { break }
          number += 1
        }
        // At least one call of this kind must have failed.
        #expect(number > 1, "\(call)")
      }
    }
    #expect(try topic("append", file, "status=ok", "duration=5").code == 0)
    #expect(try topic("aggregate", "--out", directory("out"), file).code == 0)
    #expect(try topic("aggregate", "--out", directory("fresh"), file).code == 0)
    #expect(directory.entries("fresh").count == 6)
    #expect(try run(["diff", "-r", directory("out"), directory("fresh")]).text.isEmpty)
  }

  @Test("A number too large for a double is text, and other numbers keep their spelling")
  func commits() throws {
    let words = ["a=12e4567", "b=-1e999", "c=1e300", "d=00", "e=12345678901234567890"]
    #expect(try run([Product.topic, "metrics", "append", file] + words).code == 0)
    #expect(
      try String(contentsOfFile: file, encoding: .utf8)
        == #"{"a":"12e4567","b":"-1e999","c":1e300,"d":"00","e":12345678901234567890}"# + "\n")
  }

  @Test("--skip-invalid skips lines that are not objects, and -v counts them")
  func skipInvalid() throws {
    let outcome = try topic(
      "append", "-v", "--skip-invalid", file, input: "\u{FEFF}{\"a\":1}\n[1]\nx\n{\"a\":2}")
    #expect(outcome.code == 0, "\(outcome.error)")
    #expect(outcome.error.contains("line 2 is not a JSON object; skipped"))
    #expect(outcome.error.contains("line 3 is not JSON, at byte 1: expected a value; skipped"))
    #expect(outcome.error.contains("2 queued, 2 written, 1 batch, 2 errors"))
    #expect(try String(contentsOfFile: file, encoding: .utf8) == "{\"a\":1}\n{\"a\":2}\n")
    let words = [Product.topic, "metrics", "append", "-v", file, "a=1"]
    let full = try run(words, environment: ["POSIX_FAULT": "write:1:\(ENOSPC)"])
    #expect(full.code == 74 && full.error.contains("entries written: at least 0"))
  }

  @Test("Entries of standard input are written within a second, and before a signal ends it")
  func streams() throws {
    try bash("mkfifo '\(directory("pipe"))'")
    let source = try RunningProcess([
      "bash", "-c",
      "exec >'\(directory("pipe"))'; echo '{\"n\":1}'; sleep 2; echo '{\"n\":2}'; printf '{\"n'; "
        + ": >'\(directory("ready"))'; exec sleep 1000",
    ])
    let writer = try RunningProcess([
      "bash", "-c",
      "exec \(Product.topic) metrics append '\(file)' <'\(directory("pipe"))'",
    ])
    func text() -> String? { try? String(contentsOfFile: file, encoding: .utf8) }
    try waitUntil(text() == "{\"n\":1}\n")
    #expect(!directory.entries().contains("ready"))
    try waitUntil(directory.entries().contains("ready"))
    usleep(200_000)
    kill(writer.id, SIGTERM)
    #expect(try writer.wait().signal == SIGTERM)
    kill(source.id, SIGKILL)
    _ = try source.wait()
    #expect(text() == "{\"n\":1}\n{\"n\":2}\n")
  }

  @Test("A key that no entry has is reported with the nearest existing one")
  func missingKeys() throws {
    try directory.makeFile(
      "m.jsonl",
      #"{"status":"ok","epoch":1,"duration":2,"note":"x"}"# + "\n" + #"{"status":"ok"}"# + "\n")
    let by = try topic("summary", "--by", "epcoh", file)
    #expect(by.code == 0)
    #expect(by.error == "topic: no entry has the key 'epcoh' (--by); did you mean 'epoch'?\n")
    let conditions = try topic(
      "summary", "--where", "zzz=1", "--where", "status=bad", "--by", "note", file)
    #expect(conditions.error == "topic: no entry has the key 'zzz' (--where)\n")
    #expect(conditions.text.hasPrefix("0 entries"))
    let words = ["--require", "status", "--require", "stats", "--duration", "durations"]
    func aggregate(_ more: [String] = []) throws -> TestSupport.Outcome {
      try run(
        [Product.topic, "metrics", "aggregate", "--out", directory("out"), file] + words + more)
    }
    // The second call reads nothing new: it knows the keys from state.json.
    for _ in 1...2 {
      #expect(
        try aggregate().error == """
          topic: no entry has the key 'stats' (--require); did you mean 'status'?
          topic: no entry has the key 'durations' (--duration); did you mean 'duration'?

          """)
    }
    #expect(
      try topic("aggregate", "--out", directory("out"), "--duration", "note", file).error.contains(
        "no entry has a number under 'note' (--duration)"))
    // No option names a key, or there are no entries.
    try directory.makeFile("m.jsonl", "{\"status\":\"ok\"}\n")
    #expect(try topic("aggregate", "--out", directory("other"), file).error.isEmpty)
    try directory.makeFile("m.jsonl", "")
    #expect(try topic("summary", "--by", "x", file).error.isEmpty)
  }

  @Test("A byte order mark at the start loses no entry and is not copied")
  func byteOrderMark() throws {
    try directory.makeFile("m.jsonl", "\u{FEFF}{\"status\":\"ok\",\"n\":0}\n\u{FEFF}\n")
    #expect(try topic("summary", file).text.hasPrefix("1 entry, 100 % succeeded\n"))
    #expect(try topic("aggregate", "--out", directory("out"), file).code == 0)
    let baseline = try Data(contentsOf: URL(fileURLWithPath: directory("out/baseline.json")))
    #expect(String(decoding: baseline, as: UTF8.self) == "{\"status\":\"ok\",\"n\":0}\n")
    #expect(baseline.first == UInt8(ascii: "{"))
  }

  @Test(
    "aggregate replaces only changed files, with one fsync for the directory",
    .enabled(if: Product.hasProgram("strace"), "strace is missing"))
  func synchronizations() throws {
    func fsyncs() throws -> Int {
      let outcome = try bash(
        """
        strace -o trace -e trace=fsync topic metrics aggregate --out out m.jsonl && grep -c '^fsync' trace
        """, in: directory.path)
      return try #require(outcome.lines.first.flatMap { Int($0) }, "\(outcome.error)")
    }
    try directory.makeDirectories("out")
    try directory.makeFile("m.jsonl", "{\"status\":\"ok\",\"duration\":1}\n")
    #expect(try fsyncs() == 7)
    #expect(try fsyncs() == 0)
    try bash("echo '{\"status\":\"ok\",\"duration\":3}' >>m.jsonl", in: directory.path)
    // The baseline does not change.
    #expect(try fsyncs() == 6)
    try bash("echo damaged >out/completeness.json", in: directory.path)
    #expect(try fsyncs() == 2)
  }

  @Test(
    "Wrong usage is refused with the command that an option belongs to",
    arguments: [
      ("summary --out x m.jsonl", "--out belongs to topic metrics aggregate"),
      ("append --by x m.jsonl", "--by belongs to topic metrics summary, aggregate"),
      ("rotate m.jsonl", "no --max-bytes and no --max-lines"),
      ("rotate --max-bytes 1 --max-lines 1 m.jsonl", "exclude each other"),
      ("aggregate m.jsonl", "no --out"), ("aggregate --out= m.jsonl", "--out is an empty string"),
      ("summary", "no FILE"), ("summary m.jsonl more", "unexpected argument 'more'"),
      ("summary --where x m.jsonl", "--where takes KEY=VALUE"),
      ("sumary m.jsonl", "did you mean 'summary'?"),
    ])
  func usage(line: String, message: String) throws {
    let outcome = try run([Product.topic, "metrics"] + line.split(separator: " ").map(String.init))
    #expect(outcome.code == 64 && outcome.error.contains(message), "\(outcome.error)")
  }

  @Test("Help exists for every command, and completions offer choices and directories")
  func descriptions() throws {
    for command in ["append", "summary", "aggregate", "rotate"] {
      let help = try run([Product.topic, "help", "metrics", command])
      #expect(help.code == 0 && help.text.hasPrefix("Usage: topic metrics \(command) "))
    }
    func complete(_ words: String...) throws -> String {
      try run([Product.topic, "--complete", "bash", "metrics"] + words).text
    }
    #expect(try complete("append", "--sync", "") == "each\nnever\n")
    #expect(try complete("summary", "--format=h") == "--format=html\n")
    #expect(try complete("summary", "--by", "").isEmpty)
    #expect(try complete("aggregate", "--where", "").isEmpty)
    #expect(try complete("aggregate", "--out", "") == ":directories\t\n")
    #expect(try complete("rotate", "") == ":files\t\n")
  }
}
