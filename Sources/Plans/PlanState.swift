import JSON
import POSIX

/// The state of the tasks of a plan, as a value. ``PlanStore`` keeps it, under a lock.
public struct PlanState: Sendable {
  /// The status of a task.
  public enum Status: String, Sendable, CaseIterable {
    /// Nobody works on it.
    case pending
    /// A worker has it, at least until its lease expires.
    case claimed
    /// It is done, for good.
    case done
    /// It failed, and waits until somebody puts it back.
    case failed
  }

  /// The state of one task.
  public struct Record: Equatable, Sendable {
    /// Its status.
    public internal(set) var status = Status.pending
    /// The worker that has it, or had it last.
    public internal(set) var worker: String?
    /// When that worker claimed it.
    public internal(set) var claimedAt: WallTime?
    /// When the lease expires, by the wall clock (CLOCK_REALTIME). From then on, another worker may
    /// take the task over.
    public internal(set) var leaseUntil: WallTime?
    /// How often it was claimed, up to ``mostAttempts``.
    public internal(set) var attempts = 0

    /// The count of attempts stops here.
    static let mostAttempts = 1_000_000_000
  }

  /// The version of the file's format.
  public static let version = 1

  /// How the plan has changed since the state was written.
  public struct Edit: Equatable, Sendable {
    /// New tasks.
    public var added: [String] = []
    /// Tasks that are gone. Their records are kept in case they come back.
    public var removed: [String] = []
    /// Tasks that were gone and are back.
    public var restored: [String] = []
  }

  /// The records of the tasks, in the order of ``Plan/tasks``.
  public internal(set) var records: [Record]
  /// The records of tasks that are no longer in the plan.
  var removed: [(id: String, record: Record)] = []

  /// The first state: all tasks are pending.
  public init(_ plan: Plan) {
    records = Array(repeating: Record(), count: plan.tasks.count)
  }

  /// How many tasks have this status.
  public func count(_ status: Status) -> Int { records.count { $0.status == status } }

  // MARK: as JSON

  /// Reads what ``json(_:)`` wrote, and finds how the plan has changed since.
  init(_ text: Bytes, _ plan: Plan) throws(PlanStateError) {
    var state = PlanState(plan)
    var edit = Edit()
    var places: [String: Int] = [:]
    places.reserveCapacity(plan.tasks.count)
    for (place, task) in plan.tasks.enumerated() { places[task.id] = place }
    var isKnown = [Bool](repeating: false, count: plan.tasks.count)
    for (id, value) in try Self.tasks(text) {
      guard let record = Record(value) else {
        throw PlanStateError("the record of task '\(id)' is damaged")
      }
      let wasRemoved = value["removed"]?.bool ?? false
      if let place = places[id] {
        state.records[place] = record
        isKnown[place] = true
        if wasRemoved { edit.restored.append(id) }
      } else {
        state.removed.append((id, record))
        if !wasRemoved { edit.removed.append(id) }
      }
    }
    edit.added = plan.tasks.indices.filter { !isKnown[$0] }.map { plan.tasks[$0].id }
    self = state
    self.edit = edit
  }

  /// How the plan has changed since the state was written.
  public private(set) var edit = Edit()

  private static func tasks(
    _ text: Bytes
  ) throws(PlanStateError) -> [(id: String, value: JSONValue)] {
    let value: JSONValue
    do throws(JSONError) { value = try JSONValue(parsing: text) } catch {
      throw PlanStateError("at byte \(error.offset + 1): \(error.message)")
    }
    guard case .number(let found)? = value["version"] else {
      throw PlanStateError("it has no version")
    }
    guard found == "\(version)" else {
      throw PlanStateError("it has version \(found), but this program reads version \(version)")
    }
    guard let tasks = value["tasks"]?.members else { throw PlanStateError("it has no tasks") }
    return tasks.map { ($0.key, $0.value) }
  }

  /// The contents of the file: an object on one line.
  func json(_ plan: Plan) -> Bytes {
    var json = JSONWriter(.compact)
    json.object { json in
      json.member("version", Self.version)
      json.key("tasks")
      json.object { json in
        for (task, record) in zip(plan.tasks, records) {
          json.key(task.id)
          json.object { json in record.write(&json) }
        }
        for (id, record) in removed {
          json.key(id)
          json.object { json in
            record.write(&json)
            json.member("removed", true)
          }
        }
      }
    }
    json.endLine()
    return json.text
  }
}

/// Why a text is not the state of a plan.
struct PlanStateError: Error {
  let reason: String

  init(_ reason: String) { self.reason = reason }
}

extension PlanState.Record {
  fileprivate init?(_ value: JSONValue) {
    guard let status = value["status"]?.string.flatMap(PlanState.Status.init) else { return nil }
    self.status = status
    worker = value["worker"]?.string
    claimedAt = value["claimed_at"]?.string.flatMap(WallTime.init(rfc3339:))
    leaseUntil = value["lease_until"]?.string.flatMap(WallTime.init(rfc3339:))
    guard let attempts = (value["attempts"] ?? .number("0")).integer(in: 0...Self.mostAttempts)
    else { return nil }
    self.attempts = attempts
    // Without a worker or a lease, the task could never be taken over, so this is damage.
    if status == .claimed, worker == nil || leaseUntil == nil { return nil }
  }

  /// Writes its members, without the empty ones.
  public func write(_ json: inout JSONWriter) {
    json.member("status", status.rawValue)
    if let worker { json.member("worker", worker) }
    if let claimedAt { json.member("claimed_at", claimedAt.rfc3339) }
    if let leaseUntil { json.member("lease_until", leaseUntil.rfc3339) }
    if attempts > 0 { json.member("attempts", attempts) }
  }
}
