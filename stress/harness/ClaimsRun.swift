import CommandLine
import JSON
import POSIX
import Runs
import TopicAllocation

/// Lets workers claim and finish the tasks of a plan, kills some of them, and records the history.
/// Each call is a process of its own.
///
/// A worker that dies leaves its task to the others, or starts over under the same name and must
/// get the same task again. A slow worker reports its task as done long after the lease expired.
final class ClaimsRun {
  /// What a worker does next, or waits for.
  private enum Step {
    case claim(at: Instant)
    case done(Int, at: Instant)
    case waiting(ClaimsCall, ChildProcess, killAt: Instant?)
    case finished
  }

  private final class Worker {
    let launchPad = LaunchPad()
    let output: Descriptor
    let error: Descriptor
    let place: Int
    var generation = 1
    var step = Step.claim(at: .now)

    init(_ place: Int, in directory: Path) throws(SystemError) {
      self.place = place
      let directory = try Descriptor(opening: directory, .directory)
      output = try .unnamedFile(in: directory)
      error = try .unnamedFile(in: directory)
    }

    var name: String { "w\(place).\(generation)" }
  }

  let request: ClaimsRequest
  let directory: Path
  let plan: ClaimsPlan
  private(set) var calls: [ClaimsCall] = []
  private(set) var violations: [ClaimsViolation] = []
  private(set) var termination: Signal?
  /// When the run began, and how long it took, in nanoseconds.
  let origin = Instant.now.nanoseconds
  private(set) var elapsed: UInt64 = 0

  private let program: Path
  private var random: SplitMix64
  private let history: LineFile
  private var workers: [Worker] = []
  private var nextDeletion = Instant.now
  /// How long calls took lately, in nanoseconds. Kills are spread over twice that time.
  private var usual: UInt64 = 5_000_000

  /// Creates a run of the `topic` at `program`, in a new directory of `runs`.
  init(_ request: ClaimsRequest, program: Path, in runs: Path) throws(Failure) {
    self.request = request
    self.program = program
    random = SplitMix64(seed: request.seed)
    plan = ClaimsPlan(tasks: request.tasks, &random)
    let directory = try attempt(RunDirectory.create(in: runs), otherwise: .cannotCreate)
    self.directory = directory
    history = try attempt(
      LineFile(opening: directory.appending("history.jsonl")), otherwise: .cannotCreate)
    try attempt(
      AtomicFile.write(plan.markdown, to: directory.appending("PLAN.md")), otherwise: .cannotCreate)
    ProcessEvents.hold()
    for place in 1...request.processes {
      workers.append(try attempt(Worker(place, in: directory), otherwise: .cannotCreate))
    }
  }

  /// Runs until all tasks are done, and judges the history.
  func execute() throws(Failure) {
    try attempt(work(), otherwise: .inputOutput)
    elapsed = Instant.now.nanoseconds - origin
    let checker = ClaimsChecker(calls: calls, dependencies: plan.dependencies, lease: request.lease)
    if termination != nil { return }
    violations += checker.violations()
    judgeEnd()
  }

  private func work() throws(SystemError) {
    let tick: UInt64 = 100_000_000
    // A plan that never ends is detected after this many calls.
    let most = 100 * request.tasks + 10_000
    while termination == nil, calls.count < most {
      try reap()
      let now = Instant.now
      var next = now.advanced(byNanoseconds: tick)
      for worker in workers { next = min(next, try act(worker, now)) }
      if workers.allSatisfy({ if case .finished = $0.step { true } else { false } }) { return }
      if request.chaos.contains(.lockfile), now >= nextDeletion {
        try? Descriptor(opening: directory, .directory).removeFile(Bytes("PLAN.lock"))
        nextDeletion = now.advanced(byNanoseconds: below(50_000_000))
      }
      if case .termination(let signal) = try ProcessEvents.next(before: next) {
        termination = signal
      }
    }
    for worker in workers {
      if case .waiting(_, let child, _) = worker.step { child.sendToGroup(.kill) }
    }
  }

  /// Does what is due for the worker.
  ///
  /// - Returns: When something is due next.
  private func act(_ worker: Worker, _ now: Instant) throws(SystemError) -> Instant {
    switch worker.step {
    case .finished: return .init(nanoseconds: .max)
    case .claim(let time):
      if now < time { return time }
      try start(worker, ClaimsCall(kind: .claim, worker: worker.name))
    case .done(let task, let time):
      if now < time { return time }
      try start(worker, ClaimsCall(kind: .done, worker: worker.name, task: task))
    case .waiting(var call, let child, let killAt):
      let deadline = Instant(nanoseconds: call.start).advanced(byNanoseconds: request.timeout)
      if let killAt, now >= killAt, !call.isKilled {
        call.isKilled = true
        child.send(.kill)
      } else if now >= deadline, !call.isHung {
        call.isHung = true
        child.sendToGroup(.kill)
      }
      worker.step = .waiting(call, child, killAt: call.isKilled ? nil : killAt)
      return min(call.isKilled ? deadline : killAt ?? deadline, deadline)
    }
    return now + .milliseconds(1)
  }

  private func start(_ worker: Worker, _ call: ClaimsCall) throws(SystemError) {
    var call = call
    var words = ["topic", "plan", call.kind.rawValue, "--worker", call.worker]
    if call.kind == .claim { words += ["--lease", "\(request.lease)"] }
    var arguments = words.map { Bytes($0) } + [directory.appending("PLAN.md").bytes]
    if let task = call.task { arguments.append(Bytes("t\(task)")) }
    try worker.output.truncate(to: 0)
    try worker.error.truncate(to: 0)
    let barrier = try Barrier()
    let child = try worker.launchPad.start(
      program, arguments, output: worker.output, error: worker.error, behind: barrier)
    call.wallStart = WallTime.now.secondsSince1970
    let now = Instant.now
    call.start = now.nanoseconds
    barrier.open()
    let dies = request.chaos.contains(.kill) && chance(0.03)
    worker.step = .waiting(
      call, child, killAt: dies ? now.advanced(byNanoseconds: below(2 * usual)) : nil)
  }

  private func reap() throws(SystemError) {
    while let (child, ending) = try ChildProcess.reap() {
      let worker = workers.first {
        if case .waiting(_, child, _) = $0.step { true } else { false }
      }
      guard let worker, case .waiting(var call, _, _) = worker.step else { continue }
      call.end = Instant.now.nanoseconds
      call.wallEnd = WallTime.now.secondsSince1970
      call.ending = ending
      call.error = Bytes(try worker.error.contents().prefix(1_000))
      if call.kind == .claim {
        let output = try worker.output.contents()
        // A printed answer must be true even if the process is killed afterwards.
        call.answer = ClaimsCall.answer(output, tasks: request.tasks)
      }
      if ending == .exited(0) { usual = (usual * 7 + call.end - call.start) / 8 }
      calls.append(call)
      try history.append(call.line(since: origin))
      worker.step = step(after: call, worker)
    }
  }

  private func step(after call: ClaimsCall, _ worker: Worker) -> Step {
    let now = Instant.now
    if call.isHung || call.ending == .exited(2) { return .finished }
    if call.isKilled, call.ending != .exited(0) {
      if chance(0.5) { worker.generation += 1 }
      return .claim(at: now)
    }
    guard call.kind == .claim else { return .claim(at: now) }
    guard let answer = call.answer else {
      return .claim(at: now + .milliseconds(20))
    }
    if request.chaos.contains(.kill), chance(0.01) {
      // The worker dies at work.
      worker.generation += 1
      return .claim(at: now)
    }
    let isSlow = request.chaos.contains(.pause) && chance(0.01)
    let pause = isSlow ? UInt64(request.lease + 2) * 1_000_000_000 : below(2_000_000)
    return .done(answer.task, at: now.advanced(byNanoseconds: pause))
  }

  private func chance(_ share: Double) -> Bool { Double.random(in: 0..<1, using: &random) < share }

  private func below(_ nanoseconds: UInt64) -> UInt64 {
    UInt64.random(in: 0..<max(nanoseconds, 1), using: &random)
  }

  private func judgeEnd() {
    func add(_ message: String) {
      violations.append(ClaimsViolation(.complete, message))
    }
    let state = try? directory.appending("PLAN.state.json").maintainedContents()
    let tasks = state.flatMap { try? JSONValue(parsing: $0) }?["tasks"]?.members ?? []
    let done = tasks.count { $0.value["status"]?.string == "done" }
    if done != request.tasks || tasks.count != request.tasks {
      add("the state says that \(done) of \(tasks.count) tasks are done")
    }
    let lock = directory.appending("PLAN.lock")
    if LockHolder.isLocked(lock) { add("PLAN.lock is still locked\(LockHolder.clause(lock))") }
  }
}
