import Foundation
import TestSupport
import Testing

/// Pins how many fsyncs commands make: as many as their promises need.
@Suite(
  .timeLimit(.minutes(20)),
  .enabled(if: Product.hasProgram("strace"), "strace is missing"))
struct SynchronizationTests {
  let directory = TemporaryDirectory()

  private static let plan = """
    **Goal:** count

    | Group | Tasks |
    | --- | --- |
    | Group 1 | a, b |

    ### Task a: one

    ### Task b: two
    """

  struct Case: CustomTestStringConvertible {
    let command: String
    /// How many fsyncs it makes.
    let count: Int
    /// Whether its first call also puts the name of a new file on disk, with every directory above.
    var namesFile = false

    var testDescription: String { command }
  }

  @Test(
    "Commands synchronize what they promise, and nothing else",
    arguments: [
      Case(command: "topic-alloc specs name", count: 0),
      Case(command: "topic checkpoint save run --iteration 1", count: 2),
      Case(
        command: "topic retry check --status needs_changes --feedback text --max-identical 9 run",
        count: 2),
      Case(command: "topic metrics append m.jsonl status=ok", count: 1),
      Case(
        command: "topic log append run/events.jsonl '{\"event\":1}'", count: 1, namesFile: true),
      Case(
        command: "topic cost add run --role r --model gpt-5 --input-tokens 1 --output-tokens 1",
        count: 1, namesFile: true),
      Case(command: "topic plan claim --worker w$RANDOM PLAN.md", count: 2),
    ])
  func counts(aCase: Case) throws {
    try directory.makeDirectories("run")
    try directory.makeFile("m.jsonl", "{\"status\":\"ok\"}\n")
    try directory.makeFile("PLAN.md", Self.plan)
    for isFirst in [true, false] {
      let outcome = try bash(
        """
        strace -f -qq -o trace -e trace=fsync,fdatasync \(aCase.command) >/dev/null || exit
        grep -c 'sync(' trace || true
        """, in: directory.path)
      let above = isFirst && aCase.namesFile ? directory("run").split(separator: "/").count + 1 : 0
      #expect(outcome.lines == [String(aCase.count + above)], "\(outcome.error)")
    }
  }
}
