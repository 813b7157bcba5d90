import POSIX
import Testing

@testable import Plans

@Suite(.timeLimit(.minutes(20))) struct PlanStateTests {
  private let now = WallTime(secondsSince1970: 1_000_000)

  private func plan(_ groups: String, _ fields: [String: String] = [:]) -> Plan {
    var text = "**Goal:** g\n\n"
    for (number, ids) in groups.split(separator: ";").enumerated() {
      text += "| Group \(number + 1) | \(ids) |\n"
    }
    for id in groups.split(whereSeparator: { " ;".contains($0) }) {
      text += "\n### Task \(id)\n\(fields[String(id)] ?? "")\n"
    }
    let reading = Plan.read(Bytes(text))
    #expect(reading.defects.isEmpty, "\(reading.defects)")
    return reading.plan
  }

  @Test("Workers get the tasks in order, each once, group by group")
  func order() throws {
    let plan = plan("a b;c")
    var state = PlanState(plan)
    #expect(state.claim("x", lease: nil, at: now, plan) == .task(0, reclaimedFrom: nil))
    #expect(state.claim("y", lease: nil, at: now, plan) == .task(1, reclaimedFrom: nil))
    #expect(state.claim("z", lease: nil, at: now, plan) == .nothingNow)
    try state.end(0, as: .done, by: "x")
    #expect(state.claim("x", lease: nil, at: now, plan) == .nothingNow)
    try state.end(1, as: .done, by: "y")
    #expect(state.claim("z", lease: nil, at: now, plan) == .task(2, reclaimedFrom: nil))
    try state.end(2, as: .done, by: "z")
    #expect(state.claim("x", lease: nil, at: now, plan) == .allDone)
  }

  @Test("A worker that claims again gets its task with a new lease; the timeout is the default")
  func renewal() {
    let plan = plan("a", ["a": "Timeout: 7"])
    var state = PlanState(plan)
    _ = state.claim("x", lease: nil, at: now, plan)
    #expect(state.records[0].leaseUntil == now.advanced(bySeconds: 8))
    let later = now.advanced(bySeconds: 100)
    #expect(state.claim("x", lease: 30, at: later, plan) == .task(0, reclaimedFrom: nil))
    #expect(state.records[0].leaseUntil == later.advanced(bySeconds: 31))
    #expect(state.records[0].claimedAt == now && state.records[0].attempts == 1)
  }

  @Test(
    "A task is taken over once its lease has expired, not earlier; pending tasks come first"
  )
  func takeOver() {
    let plan = plan("a b")
    var state = PlanState(plan)
    _ = state.claim("x", lease: 10, at: now, plan)
    let end = now.advanced(bySeconds: 11)
    #expect(state.claim("y", lease: 10, at: end, plan) == .task(1, reclaimedFrom: nil))
    #expect(state.claim("z", lease: 10, at: end.advanced(bySeconds: -1), plan) == .nothingNow)
    #expect(state.claim("z", lease: 10, at: end, plan) == .task(0, reclaimedFrom: "x"))
    #expect(state.records[0].attempts == 2)
    #expect(throws: PlanState.Refusal.notHolder) { try state.end(0, as: .done, by: "x") }
  }

  @Test("Only the holder can end a task; ending it again in the same way is not an error")
  func holder() throws {
    let plan = plan("a b")
    var state = PlanState(plan)
    _ = state.claim("x", lease: nil, at: now, plan)
    for status in [PlanState.Status.done, .failed, .pending] {
      #expect(throws: PlanState.Refusal.notHolder) { try state.end(0, as: status, by: "y") }
      #expect(throws: PlanState.Refusal.notHolder) { try state.end(1, as: status, by: "x") }
    }
    try state.end(0, as: .done, by: "x")
    try state.end(0, as: .done, by: "x")
    #expect(throws: PlanState.Refusal.notHolder) { try state.end(0, as: .failed, by: "x") }
    #expect(throws: PlanState.Refusal.isDone) { try state.forceRelease(0) }
    #expect(throws: PlanState.Refusal.isPending) { try state.forceRelease(1) }
  }

  @Test("A task that waits for a failed one cannot begin until that is released")
  func failed() throws {
    let plan = plan("a b;c")
    var state = PlanState(plan)
    _ = state.claim("x", lease: nil, at: now, plan)
    try state.end(0, as: .failed, by: "x")
    _ = state.claim("x", lease: nil, at: now, plan)
    #expect(state.claim("y", lease: nil, at: now, plan) == .nothingNow)
    try state.end(1, as: .done, by: "x")
    #expect(state.claim("y", lease: nil, at: now, plan) == .blocked(by: [0]))
    try state.forceRelease(0)
    #expect(state.claim("y", lease: nil, at: now, plan) == .task(0, reclaimedFrom: nil))
  }

  @Test("A task waits for the tasks that it names, and for all groups before")
  func named() throws {
    let plan = plan("a b c;d", ["a": "Depends on: c"])
    var state = PlanState(plan)
    #expect(state.ready(plan) == [1, 2])
    state.records[1].status = .done
    state.records[2].status = .done
    #expect(state.ready(plan) == [0])
    // A task is added to the first group when the second one is done.
    let longer = self.plan("a;b;c")
    var edited = PlanState(longer)
    edited.records[1].status = .done
    #expect(edited.ready(longer) == [0])
  }

  @Test("The state is read as it was written, even if the plan has been edited")
  func reading() throws {
    let old = plan("a b c")
    var state = PlanState(old)
    _ = state.claim("w \"1\"\n", lease: 5, at: now, old)
    state.records[1] = PlanState.Record(status: .done, worker: "é", attempts: 3)
    let same = try PlanState(state.json(old), old)
    #expect(same.records == state.records && same.edit == PlanState.Edit())
    let edited = plan("a c;d")
    let found = try PlanState(state.json(old), edited)
    #expect(found.edit.added == ["d"] && found.edit.removed == ["b"])
    #expect(found.records[0] == state.records[0] && found.records[1] == state.records[2])
    let again = try PlanState(found.json(edited), edited)
    #expect(again.edit == PlanState.Edit())
    let back = try PlanState(again.json(edited), old)
    #expect(back.edit.restored == ["b"] && back.edit.removed == ["d"])
    #expect(back.records == state.records)
  }

  @Test(
    "What is not the state of a plan is an error",
    arguments: [
      "", "{", "[]", "{}", "{\"version\":2,\"tasks\":{}}", "{\"version\":1}",
      "{\"version\":1,\"tasks\":{\"a\":{\"status\":\"odd\"}}}",
      "{\"version\":1,\"tasks\":{\"a\":{\"status\":\"claimed\",\"worker\":\"x\"}}}",
      "{\"version\":1,\"tasks\":{\"a\":{\"status\":\"claimed\",\"worker\":\"x\",\"lease_until\":\"soon\"}}}",
    ])
  func damaged(text: String) {
    #expect(throws: PlanStateError.self) { try PlanState(Bytes(text), plan("a")) }
  }

  @Test("Moments are read as they are written")
  func moments() {
    for seconds in [0, 951_782_400, 951_868_799, 1_709_164_800, 4_102_444_799, -1, 1_795_254_000] {
      let time = WallTime(secondsSince1970: seconds)
      #expect(WallTime(rfc3339: time.rfc3339) == time, "\(time.rfc3339)")
    }
    for text in [
      "", "2025-02-29T00:00:00Z", "2025-13-01T00:00:00Z", "2025-01-01T24:00:00Z",
      "2025-01-01t00:00:00Z", "2025-01-01T00:00:00+00:00", "2025-01-00T00:00:00Z",
    ] {
      #expect(WallTime(rfc3339: text) == nil, "\(text)")
    }
  }
}
