import Foundation
import TestSupport
import Testing

/// What the system limits: the stack, the size of files, memory.
@Suite(.timeLimit(.minutes(20))) struct LimitTests {
  let directory = TemporaryDirectory()

  init() throws { try directory.makeDirectories("run") }

  private func script(_ text: String) throws -> Outcome {
    try bash("set -u; " + text, in: directory.path)
  }

  @Test(
    "JSON as deep as it may be is read and written in a stack of 128 KiB",
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
}
