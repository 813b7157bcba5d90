import Foundation
import TestSupport
import Testing

/// `topic cost`, with real processes.
@Suite(.timeLimit(.minutes(20))) struct CostTests {
  let directory = TemporaryDirectory()
  private var run: String { directory("specs/001_a") }
  private var ledger: String { run + "/cost.jsonl" }
  private var prices: String { directory("prices.json") }

  init() throws {
    try directory.makeDirectories("specs/001_a")
    try directory.makeFile(
      "prices.json",
      """
      {"as_of": "2026-01-31", "currency": "USD", "per_tokens": 1000000,
       "models": {"small": {"input": "0.10", "output": "0.3"}, "big": {"input": 15, "output": 0.5}}}
      """)
  }

  private func cost(_ words: [String], fault: String = "") throws -> Outcome {
    try TestSupport.run(
      [Product.topic, "cost"] + words,
      environment: ["POSIX_FAULT": fault, "TOPIC_PRICES": prices])
  }

  private func add(
    _ model: String, _ input: Int, _ output: Int, role: String = "writer", _ words: [String] = [],
    fault: String = ""
  ) throws -> Outcome {
    try cost(
      [
        "add", run, "--role", role, "--model", model, "--input-tokens", "\(input)",
        "--output-tokens", "\(output)",
      ] + words, fault: fault)
  }

  private func total() throws -> [String: Any] {
    let outcome = try cost(["total", run, "--format", "json"])
    return try #require(
      try JSONSerialization.jsonObject(with: outcome.output) as? [String: Any], "\(outcome.error)")
  }

  @Test(
    "A line that is too long is one unreadable line, and other members of an entry take no memory")
  func longLines() throws {
    #expect(try add("small", 1, 1).code == 0)
    let outcome = try bash(
      """
      ulimit -v 100000
      { head -c 17000000 /dev/zero; echo; sed 's/}$/,"more":[/' cost.jsonl | tr -d '\\n'
        yes '[{}],' | head -c 3000000 | tr -d '\\n'; echo '1]}'; head -c 17000000 /dev/zero; } >more
      cat more >>cost.jsonl
      topic cost total --format json .
      """, in: run)
    let total = try #require(
      try JSONSerialization.jsonObject(with: outcome.output) as? [String: Any], "\(outcome.error)")
    #expect(total["entries"] as? Int == 2 && total["unreadable_lines"] as? Int == 2)
  }

  @Test("Roles and models beyond a thousand are summed up as one, and a note says so")
  func manyNames() throws {
    #expect(try add("small", 1, 1, role: "w0").code == 0)
    try bash(
      """
      entry=$(cat cost.jsonl); long=$(printf '%05000d' 0)
      for i in {1..1200} "$long" "$long"; do echo "${entry/w0/w$i}"; done >>cost.jsonl
      """, in: run)
    let outcome = try cost(["total", run, "--format", "json"])
    #expect(
      outcome.error
        == "topic: \(ledger): more than 1000 roles, or names over 4096 bytes; the rest is summed up as …\n"
    )
    let roles = try #require(try total()["by_role"] as? [[String: Any]])
    #expect(roles.count == 1_001 && roles.last?["role"] as? String == "…")
    #expect(roles.reduce(0) { $0 + ($1["entries"] as? Int ?? 0) } == 1_203)
  }

  @Test("An entry keeps the exact amount by the price at the time it was added")
  func entry() throws {
    let outcome = try add("small", 3, 1, ["-v", "--format", "json"])
    #expect(
      outcome.code == 0 && outcome.error.contains("0.0000006 USD, by the prices in \(prices)"))
    #expect(outcome.text.contains(#""model":"small","input_tokens":3,"output_tokens":1,"#))
    #expect(outcome.text.hasSuffix("\"usd\":\"0.0000006\"}\n"))
    #expect(try String(contentsOfFile: ledger, encoding: .utf8) == outcome.text)
    let quiet = try add("small", 3, 1)
    #expect(quiet.code == 0 && quiet.error.isEmpty && quiet.text.isEmpty)
    // A later price does not change earlier entries.
    try directory.makeFile(
      "prices.json", #"{"as_of":"2027-01-01","models":{"small":{"input":1,"output":1}}}"#)
    #expect(try add("small", 1, 0, ["-v"]).error.contains("0.000001 USD"))
    #expect(try total()["usd"] as? String == "0.0000022")
  }

  @Test("The table has roles, models and the total, and the points of amounts align")
  func table() throws {
    _ = try add("small", 1_000_000, 100)
    _ = try add("big", 2_000_000, 0, role: "reviewer")
    _ = try add("unknown", 5, 5, role: "reviewer")
    let outcome = try cost(["total", run])
    #expect(
      outcome.text == """
        ROLE      CALLS    INPUT  OUTPUT       USD  UNPRICED
        reviewer      2  2000005       5  30.00            1
        writer        1  1000000     100   0.10003

        MODEL     CALLS    INPUT  OUTPUT       USD  UNPRICED
        big           1  2000000       0  30.00
        small         1  1000000     100   0.10003
        unknown       1        5       5   ?               1

        TOTAL         3  3000005     105  30.10003         1

        """, "\(outcome.text)")
    let roles = try #require(try total()["by_role"] as? [[String: Any]])
    #expect(roles.map { $0["role"] as? String } == ["reviewer", "writer"])
    #expect(roles.map { $0["usd"] as? String } == ["30.00", "0.10003"])
    #expect(roles.map { $0["unpriced_entries"] as? Int } == [1, 0])
  }

  @Test("Exceeding the limit exits with 10 and prints both figures; reaching it is allowed")
  func check() throws {
    #expect(try cost(["check", run + "x", "--max-usd", "1"]).code == 66)
    #expect(try cost(["check", run, "--max-usd", "1"]).text == "0.00 USD of 1.00 USD\n")
    _ = try add("small", 1_000_000, 0)
    func check(_ words: String...) throws -> Outcome { try cost(["check", run] + words) }
    #expect(try check("--max-usd", "0.1").text == "0.10 USD of 0.10 USD\n")
    let over = try check("--max-usd", "0.099999999999")
    #expect(over.code == 10 && over.text.isEmpty)
    #expect(over.error.contains("0.10 USD is over the limit of 0.099999999999 USD"))
    // The higher of both prices counts: the output's of small, the input's of big.
    let estimate = ["--estimate-tokens", "1000000", "--model"]
    #expect(try cost(["check", run, "--max-usd", "0.4"] + estimate + ["small"]).code == 0)
    let both = try cost(["check", run, "--max-usd", "15.09"] + estimate + ["big"])
    #expect(both.code == 10)
    #expect(both.error.contains("15.10 USD (0.10 spent, 15.00 estimated) is over"), "\(both.error)")
    let json = try cost(["check", run, "--max-usd", "15.10", "-fjson"] + estimate + ["big"])
    #expect(json.code == 0 && json.text.contains("\"sum_usd\": \"15.10\""))
    #expect(try cost(["check", run, "--max-usd", "1"] + estimate + ["new"]).code == 65)
  }

  @Test("A call without a price is reported, and with --strict it stops the run")
  func unpriced() throws {
    let outcome = try add("unknown", 1, 1)
    #expect(outcome.code == 0 && outcome.error.contains("'unknown' has no price"))
    let check = ["check", run, "--max-usd", "1"]
    let lax = try cost(check)
    #expect(lax.code == 0 && lax.error.contains("entries without a price or unreadable: 1"))
    #expect(try cost(check + ["--strict"]).code == 10)
    #expect(try cost(check + ["--strict", "--format", "json"]).text.contains("limit\": false"))
    try bash("printf '{\"role' >>'\(ledger)'")
    _ = try add("small", 1, 1)
    let torn = try cost(check)
    #expect(torn.code == 0 && torn.error.contains("\(ledger): 1 line is not an entry"))
    #expect(try total()["unreadable_lines"] as? Int == 1 && total()["entries"] as? Int == 2)
  }

  @Test("Messages name the shipped prices with their day, and a changed list replaces them")
  func shipped() throws {
    let script = """
      unset TOPIC_PRICES
      mkdir run
      topic cost prices >list.json
      topic cost add run --role r --model gpt-5 --input-tokens 1000000 --output-tokens 0
      sed 's/2025-..-../2026-11-01/; s/"1.25"/"2.5"/' list.json >mine.json
      topic cost add run --prices mine.json -v --role r --model gpt-5 --input-tokens 1000000 \\
        --output-tokens 0
      topic cost check run --max-usd 9
      """
    let outcome = try bash(script, in: directory.path)
    #expect(outcome.code == 0 && outcome.text == "3.75 USD of 9.00 USD\n", "\(outcome.error)")
    #expect(outcome.error.matches(of: #/the shipped prices of 20\d\d-\d\d-\d\d/#).count == 2)
    #expect(outcome.error.contains("2.50 USD, by the prices in mine.json of 2026-11-01"))
  }

  @Test(
    "Wrong usage is refused, and nothing is added",
    arguments: [
      (["--role", "r"], 64, "no --model"),
      (
        ["--role", "", "--model", "small", "--input-tokens", "1", "--output-tokens", "1"], 64,
        "--role is an empty string"
      ),
      (
        ["--role", "r", "--model", "small", "--output-tokens", "1", "--input-tokens", "-1"], 64,
        "--input-tokens takes"
      ),
      (["--role", "r", "--model", "small", "--input-tokens", "1"], 64, "no --output-tokens"),
      (["--max-usd", "1"], 64, "--max-usd belongs to topic cost check"),
      (["--estimate-tokens", "1"], 64, "--estimate-tokens belongs to topic cost check"),
      (["more"], 64, "unexpected argument 'more'"),
      (["--prices", "/no"], 64, "no --role"),
    ])
  func refused(words: [String], code: Int, message: String) throws {
    let outcome = try cost(["add", run] + words)
    #expect(outcome.code == Int32(code) && outcome.error.contains(message), "\(outcome.error)")
    #expect(!FileManager.default.fileExists(atPath: ledger))
  }

  @Test(
    "A message about an unusable list names its place",
    arguments: [
      ("{\n\"models\": {,}}", 65, ":2: not JSON"), ("{}", 65, "as_of"),
      (#"{"as_of":"x","models":{"small":{"input":"1e3","output":1}}}"#, 65, "model small"),
    ])
  func badPrices(text: String, code: Int, message: String) throws {
    try directory.makeFile("prices.json", text)
    let outcome = try add("small", 1, 1)
    #expect(outcome.code == Int32(code) && outcome.error.contains(message), "\(outcome.error)")
    #expect(outcome.error.contains(prices) && !FileManager.default.fileExists(atPath: ledger))
  }

  @Test("Ten processes that add fifty entries each lose nothing")
  func concurrent() throws {
    let outcome = try bash(
      """
      for i in 1 2 3 4 5 6 7 8 9 10; do
        for j in {1..50}; do
          topic cost add '\(run)' --prices '\(prices)' --role "r$i" --model small \\
            --input-tokens "$j" --output-tokens "$i" || echo failed
        done 2>/dev/null &
      done; wait
      """)
    #expect(outcome.code == 0 && outcome.text.isEmpty)
    let total = try total()
    // 10 × (1 + … + 50) × 0.1 + 50 × (1 + … + 10) × 0.3, millionths.
    #expect(total["entries"] as? Int == 500 && total["usd"] as? String == "0.0021")
    #expect(total["unreadable_lines"] as? Int == 0)
    #expect((total["by_role"] as? [Any])?.count == 10)
  }

  @Test("A crash or a full disk leaves only whole entries, and every reported one is there")
  func killed() throws {
    #expect(try add("small", 10, 0).code == 0)
    for fault in ["open:1", "fstat:1", "pread:1", "write:1", "fsync:1"] {
      let before = try #require(try total()["entries"] as? Int)
      #expect(try add("small", 10, 0, fault: fault + ":kill").signal == SIGKILL, "\(fault)")
      let after = try #require(try total()["entries"] as? Int)
      #expect(after == before + (fault == "fsync:1" ? 1 : 0), "\(fault)")
    }
    let full = try add("small", 10, 0, fault: "write:1:\(ENOSPC)")
    #expect(full.code == 74 && full.error.contains(ledger), "\(full.error)")
    #expect(try total()["entries"] as? Int == 2 && total()["unreadable_lines"] as? Int == 0)
  }

  private func makeLongLedger() throws {
    #expect(try add("small", 1, 0).code == 0)
    try bash("for i in {1..10}; do cat cost.jsonl cost.jsonl >x; mv x cost.jsonl; done", in: run)
  }

  @Test(
    "What is in the place of the stored sums and is not a regular file is named and left alone",
    arguments: [
      ("ln -s victim", "a symbolic link"), ("mkfifo", "a FIFO"), ("mkdir", "a directory"),
    ])
  func oddState(make: String, kind: String) throws {
    try makeLongLedger()
    try bash("echo precious >victim; \(make) cost.state.json", in: run)
    let outcome = try cost(["check", run, "--max-usd", "1"])
    #expect(outcome.code == 0 && outcome.text == "0.0001024 USD of 1.00 USD\n")
    #expect(outcome.error.contains("cost.state.json': it is \(kind), not a regular file"))
    let left = try bash("cat victim; [ -L cost.state.json ] || [ ! -f cost.state.json ]", in: run)
    #expect(left.code == 0 && left.text == "precious\n")
  }

  @Test("A crash or an error while sums are stored leaves right sums, and fails nothing")
  func storing() throws {
    let check = ["check", run, "--max-usd", "1"]
    for call in ["flock:1", "creat:1", "write:1", "renameat:1"] {
      for kind in ["kill", "\(EIO)"] {
        try bash("rm -f '\(run)'/* '\(run)'/.cost*")
        try makeLongLedger()
        let outcome = try cost(check, fault: "\(call):\(kind)")
        #expect(kind == "kill" ? outcome.signal == SIGKILL : outcome.code == 0, "\(call) \(kind)")
        #expect(try total()["entries"] as? Int == 1_024, "\(call) \(kind)")
        let names = try FileManager.default.contentsOfDirectory(atPath: run).sorted()
        #expect(names == ["cost.jsonl", "cost.state.json"], "\(call) \(kind)")
        #expect(try cost(check).text == "0.0001024 USD of 1.00 USD\n")
      }
    }
  }

  @Test("Totals beside ten processes that add are never too small, and the last one is right")
  func totalsBesideAdders() throws {
    try makeLongLedger()
    let outcome = try bash(
      """
      for i in 1 2 3 4 5 6 7 8 9 10; do
        for j in {1..60}; do
          topic cost add '\(run)' --prices '\(prices)' --role "$i$(printf %0400d 7)" --model small \\
            --input-tokens 1 --output-tokens 0 || echo failed
        done &
      done
      last=1024
      while [ -n "$(jobs -r)" ]; do
        now=$(topic cost total -fjson '\(run)' | jq .entries)
        [ "$now" -ge "$last" ] || echo "$now after $last"
        last=$now
      done; wait
      topic cost total -fjson '\(run)' | jq -r '.entries, .unreadable_lines, .usd, (.by_role | length)'
      """)
    #expect(outcome.text == "1624\n0\n0.0001624\n11\n", "\(outcome.text)\(outcome.error)")
    #expect(FileManager.default.fileExists(atPath: run + "/cost.state.json"))
  }

  @Test("Help exists for every command, and --model completes the models with a price in force")
  func descriptions() throws {
    for command in ["add", "total", "check", "prices"] {
      let help = try TestSupport.run([Product.topic, "help", "cost", command])
      #expect(help.code == 0 && help.text.hasPrefix("Usage: topic cost \(command) "))
    }
    func models(_ words: String..., prices: String = "") throws -> [String] {
      try TestSupport.run(
        [Product.topic, "--complete", "bash", "cost"] + words,
        environment: ["TOPIC_PRICES": prices]
      ).lines
    }
    #expect(try models("add", "--model", "", prices: prices) == ["small", "big"])
    #expect(try models("check", "--prices", prices, "--model", "b") == ["big"])
    #expect(try models("check", "--prices=\(prices)", "--model=s") == ["--model=small"])
    #expect(try models("add", "--model", "gpt-5-n") == ["gpt-5-nano", "gpt-5-nano-2025-08-07"])
    #expect(try models("add", "--model", "", prices: directory("none")).isEmpty)
    // Completions do not wait for a pipe.
    try bash("mkfifo '\(directory("pipe"))'")
    #expect(try models("add", "--prices", directory("pipe"), "--model", "").isEmpty)
    #expect(try models("add", "--prices", "-", "--model", "").isEmpty)
  }
}
