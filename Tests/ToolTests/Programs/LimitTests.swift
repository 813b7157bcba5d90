import Foundation
import TestSupport
import Testing

/// Limits of the system: the stack, the size of files, memory.
@Suite(.timeLimit(.minutes(20))) struct LimitTests {
  let directory = TemporaryDirectory()

  init() throws { try directory.makeDirectories("run") }

  private func script(_ text: String) throws -> Outcome {
    try bash("set -u; " + text, in: directory.path)
  }

  @Test(
    "JSON of the maximum depth is read and written with a stack of 128 KiB",
    arguments: [("[", "]"), ("{\"k\":", "}")])
  func stack(open: String, close: String) throws {
    let deep = { (count: Int) in
      String(repeating: open, count: count) + "1" + String(repeating: close, count: count)
    }
    try directory.makeFile("deep", deep(511))
    try directory.makeFile("object", "{\"deep\":\(deep(511))}")
    try directory.makeFile("deeper", "{\"deep\":\(deep(100_000))}")
    try directory.makeFile("PLAN.md", "**Goal:** g\n\n| Group 1 | a |\n\n### Task a\n")
    try directory.makeFile("PLAN.state.json", "{\"version\":1,\"tasks\":{},\"deep\":\(deep(511))}")
    let outcome = try script(
      """
      ulimit -s 128 || exit 9
      expect() {
        local code=$1 status=0; shift
        "$@" >out 2>err || status=$?
        if ((status != code)); then printf '%s: %s\\n' "$status" "$*"; cat err; fi
      }
      expect 0 topic checkpoint save run <object
      expect 0 topic checkpoint load run
      expect 0 topic checkpoint save run --set "x=$(<deep)"
      expect 0 topic retry check --status approved run
      expect 0 topic metrics append m.jsonl "$(<object)"
      expect 0 topic metrics summary --by deep m.jsonl
      expect 0 topic metrics aggregate --out out.d --require deep m.jsonl
      expect 0 topic metrics aggregate --out out.d --require deep m.jsonl
      expect 0 topic log append l.jsonl "$(<object)"
      expect 0 topic log tail l.jsonl
      expect 0 topic plan claim --worker w PLAN.md
      expect 65 topic cost prices --prices object
      expect 65 topic gate run <object
      expect 65 topic checkpoint save run <deeper
      """)
    #expect(outcome.code == 0 && outcome.text.isEmpty, "\(outcome.text)\(outcome.error)")
  }

  @Test("A write beyond ulimit -f is an error with its cause, and no signal ends the program")
  func fileSize() throws {
    let outcome = try script(
      """
      ulimit -f 1; long=$(head -c 2000 /dev/zero | tr '\\0' x)
      try() { "$@" >out; echo $?; }
      try topic log append l.jsonl "\\"$long\\""
      try topic metrics append m.jsonl "a=$long"
      try topic checkpoint save run --status "$long"
      topic cost prices 2>/dev/null >out; echo $?
      ls run
      """)
    #expect(outcome.lines == ["74", "74", "74", "74"], "\(outcome.text)\(outcome.error)")
    #expect(outcome.error.contains("l.jsonl': File too large"), "\(outcome.error)")
    #expect(outcome.error.contains("hint: raise the limit with 'ulimit -f'"), "\(outcome.error)")
  }

  @Test("Children do not inherit that the program ignores SIGXFSZ")
  func inheritedSignal() throws {
    try directory.makeFile(
      "look",
      "while read -r name set; do [[ $name != SigIgn: ]] || echo $set >>sets; done </proc/$$/status"
    )
    let outcome = try script(
      "topic try -n --timeout 60 --model m -- bash look {model}; topic gate run --step a 'bash look'; cat sets"
    )
    let sets = outcome.lines.compactMap { UInt64($0, radix: 16) }
    #expect(sets.count == 2 && sets.allSatisfy { $0 & 1 << (SIGXFSZ - 1) == 0 }, "\(outcome)")
  }

  @Test(
    "A plan where each task has 1,500 dependencies is printed as JSON in bounded memory",
    arguments: ["show", "graph"])
  func planMemory(command: String) throws {
    let ids = { (name: String) in (0..<1_500).map { "\(name)\($0)" } }
    let rows = ["a", "b"].enumerated().map {
      "| Group \($0.offset + 1) | \(ids($0.element).joined(separator: ", ")) |\n"
    }
    let tasks = (ids("a") + ids("b")).map { "### Task \($0)\n" }.joined()
    try directory.makeFile("PLAN.md", "**Goal:** g\n\n" + rows.joined() + "\n" + tasks)
    // The output is longer than 30 MB.
    let outcome = try script(
      "ulimit -v 60000; topic plan \(command) -f json PLAN.md | md5sum; echo \"${PIPESTATUS[0]}\"")
    #expect(outcome.lines.last == "0", "\(outcome.error)")
    let last = try script(
      "topic plan \(command) -f json PLAN.md | jq -c '(.tasks? // .)[-1].dependencies | [length, .[0], .[-1]]'"
    )
    #expect(last.text == "[1500,\"a0\",\"a1499\"]\n", "\(last.text)\(last.error)")
  }

  @Test("Printing a plan ends when the reader goes away")
  func brokenPipe() throws {
    try directory.makeFile(
      "PLAN.md",
      "**Goal:** g\n\n| Group 1 | a |\n\n### Task a\n" + String(repeating: "text\n", count: 50_000))
    let outcome = try script(
      "topic plan show -f json PLAN.md | head -c 1 >out; echo \"${PIPESTATUS[0]}\"")
    #expect(outcome.text == "74\n" && outcome.error.contains("Broken pipe"))
  }
}
