import Foundation
import JSON
import POSIX
import TestSupport
import Testing

@testable import StressHarness

private func claim(
  _ worker: String, _ task: Int?, from start: UInt64, to end: UInt64, wall: Int = 100,
  until: Int = 102, of holder: String? = nil, ending: ChildProcess.End = .exited(0),
  isKilled: Bool = false
) -> ClaimsCall {
  ClaimsCall(
    kind: .claim, worker: worker, start: start, end: end, wallStart: wall, wallEnd: wall,
    ending: ending, isKilled: isKilled,
    answer: task.map { .init(task: $0, leaseUntil: until, reclaimedFrom: holder) })
}

private func done(
  _ worker: String, _ task: Int, from start: UInt64, to end: UInt64,
  ending: ChildProcess.End = .exited(0), isKilled: Bool = false
) -> ClaimsCall {
  ClaimsCall(
    kind: .done, worker: worker, task: task, start: start, end: end, wallStart: 100, wallEnd: 100,
    ending: ending, isKilled: isKilled)
}

@Suite(.timeLimit(.minutes(20))) struct ClaimsCheckerTests {
  private func judge(_ calls: [ClaimsCall], _ dependencies: [[Int]] = [[]]) -> [ClaimsAssertion] {
    ClaimsChecker(calls: calls, dependencies: dependencies, lease: 1).violations().map(\.assertion)
  }

  private let killed = ChildProcess.End.signaled(9)

  @Test("A valid history has no violations")
  func clean() {
    #expect(judge([claim("a", 0, from: 1, to: 2), done("a", 0, from: 3, to: 4)]) == [])
    // An expired lease is taken over, and the old holder is refused.
    #expect(
      judge([
        claim("a", 0, from: 1, to: 2), claim("b", 0, from: 3, to: 4, wall: 102, of: "a"),
        done("a", 0, from: 5, to: 6, ending: .exited(77)), done("b", 0, from: 7, to: 8),
        claim("a", nil, from: 9, to: 10, ending: .exited(2)),
      ]) == [])
    // A worker repeats its claim and its report after a call whose answer was lost.
    #expect(
      judge([
        claim("a", nil, from: 1, to: 2, ending: killed, isKilled: true),
        claim("a", 0, from: 3, to: 4), done("a", 0, from: 5, to: 6, ending: killed, isKilled: true),
        done("a", 0, from: 7, to: 8),
      ]) == [])
    // A task is taken over from a worker that lost the answer to its claim.
    #expect(
      judge([
        claim("a", nil, from: 1, to: 2, ending: killed, isKilled: true),
        claim("b", 0, from: 3, to: 4, wall: 101, of: "a"), done("b", 0, from: 5, to: 6),
      ]) == [])
    let calls = [
      claim("a", 0, from: 1, to: 2), done("a", 0, from: 3, to: 10),
      claim("b", 1, from: 4, to: 9), done("b", 1, from: 11, to: 12),
    ]
    #expect(judge(calls, [[], [0]]) == [])
  }

  @Test("Tasks that are done twice, or claimed after they are done, are found")
  func twice() {
    let first = [claim("a", 0, from: 1, to: 2), done("a", 0, from: 3, to: 4)]
    #expect(judge(first + [claim("b", 0, from: 5, to: 6, wall: 102, of: "a")]) == [.once])
    let second = [
      claim("b", 0, from: 1, to: 2, wall: 102, of: "a"), done("b", 0, from: 5, to: 6),
    ]
    #expect(judge(first + second).contains(.once))
  }

  @Test("A task that was never done is found, unless the report was lost")
  func missing() {
    #expect(judge([]) == [.complete])
    #expect(judge([claim("a", 0, from: 1, to: 2)]) == [.complete])
    let lost = done("a", 0, from: 3, to: 4, ending: killed, isKilled: true)
    #expect(judge([claim("a", 0, from: 1, to: 2), lost]) == [])
  }

  @Test("A task that is claimed before its dependencies are done is found")
  func order() {
    let calls = [
      claim("a", 0, from: 1, to: 2), claim("b", 1, from: 3, to: 4), done("a", 0, from: 5, to: 6),
      done("b", 1, from: 7, to: 8),
    ]
    #expect(judge(calls, [[], [0]]) == [.order])
  }

  @Test("Two holders of a task are found, and a worker that does a task it does not hold")
  func holders() {
    let both = [claim("a", 0, from: 1, to: 2), claim("b", 0, from: 1, to: 3)]
    #expect(judge(both + [done("b", 0, from: 4, to: 5)]) == [.holder])
    #expect(judge([done("a", 0, from: 1, to: 2)]) == [.holder])
    let calls = [
      claim("a", 0, from: 1, to: 2), claim("b", 0, from: 3, to: 4, wall: 102, of: "a"),
      done("a", 0, from: 5, to: 6),
    ]
    #expect(judge(calls) == [.holder])
  }

  @Test("A lease that is taken over before it expires is found, even if its claim was lost")
  func leases() {
    let calls = [
      claim("a", 0, from: 1, to: 2), claim("b", 0, from: 3, to: 4, wall: 101, of: "a"),
      done("b", 0, from: 5, to: 6),
    ]
    #expect(judge(calls) == [.lease])
    var lost = calls
    lost[0] = claim("a", nil, from: 1, to: 2, wall: 101, ending: killed, isKilled: true)
    #expect(judge(lost) == [.lease])
    // No worker of that name ever claimed.
    #expect(judge(Array(calls.dropFirst())) == [.lease])
  }

  @Test("Calls that fail, hang or print nothing are found")
  func answers() {
    let good = [claim("a", 0, from: 1, to: 2), done("a", 0, from: 3, to: 4)]
    var hung = claim("b", nil, from: 5, to: 6, ending: killed)
    hung.isHung = true
    for bad in [
      hung, claim("b", nil, from: 5, to: 6), claim("b", nil, from: 5, to: 6, ending: .exited(65)),
      claim("b", nil, from: 5, to: 6, ending: .signaled(11)),
      done("b", 0, from: 5, to: 6, ending: .exited(65)),
      done("a", 0, from: 5, to: 6, ending: .exited(77)),
    ] {
      #expect(judge(good + [bad]) == [.answered])
    }
    #expect(judge(good + [claim("b", nil, from: 5, to: 6, ending: .exited(1))]) == [])
  }
}

@Suite(.timeLimit(.minutes(20))) struct ClaimsRunTests {
  let directory = TemporaryDirectory()

  @Test("Workers that die or are slow do each task once, and the history is kept")
  func claims() throws {
    let outcome = try run(
      [
        Product.topicStress, "--workload", "claims", "--tasks", "60", "--processes", "6", "--seed",
        "7", "--run-dir", directory("runs"), "--format", "json",
      ])
    #expect(outcome.code == 0, "\(outcome.text)\(outcome.error)")
    let report = try JSONValue(parsing: Bytes(outcome.output))
    #expect(report["status"]?.string == "passed" && report["done"]?.integer ?? 0 > 50)
    let kept = try #require(directory.entries("runs").first)
    #expect(
      // Chaos deletes the lock file.
      directory.entries("runs/\(kept)").filter { $0 != "PLAN.lock" }
        == ["PLAN.md", "PLAN.state.json", "history.jsonl"])
    let history = try String(
      contentsOfFile: directory("runs/\(kept)/history.jsonl"), encoding: .utf8)
    #expect(history.split(separator: "\n").count == report["calls"]?.integer)
  }

  @Test("A topic that gives a task to several workers fails")
  func broken() throws {
    try directory.makeDirectories("bin")
    // Each claim gets the first task that is not done, even if another worker holds it.
    try directory.makeFile(
      "bin/topic",
      """
      #!/usr/bin/env bash
      state=${!#}
      case $2 in
        claim)
          done=$(cat "${state%.md}.done" 2>/dev/null | wc -l)
          if ((done >= 10)); then exit 2; fi
          printf '{"id": "t%s", "lease_until": "2099-01-01T00:00:00Z", "reclaimed": false}\\n' "$done"
          ;;
        done) echo "${@: -1}" >>"${5%.md}.done" ;;
      esac

      """)
    try bash("chmod +x bin/topic", in: directory.path)
    let outcome = try run(
      [
        Product.topicStress, "--workload", "claims", "--tasks", "10", "--processes", "4", "--chaos",
        "none", "--run-dir", directory("runs"),
      ], environment: ["TOPIC_ALLOC_BIN": directory("bin")])
    #expect(outcome.code == 1 && outcome.text.contains("FAILED  no two workers"), "\(outcome.text)")
  }

  @Test(
    "Options that do not go together are refused",
    arguments: [
      ["--workload", "other"], ["--tasks", "5"], ["--workload", "claims", "--chaos", "foreign"],
      ["--workload", "claims", "--iterations", "5"],
    ])
  func refused(words: [String]) throws {
    #expect(try run([Product.topicStress, "-d", directory("runs")] + words).code == 64)
  }
}
