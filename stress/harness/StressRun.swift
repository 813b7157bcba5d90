import CommandLine
import POSIX
import TopicAllocation

/// A run: executes the iterations, watches them, and judges them.
final class StressRun {
  private(set) var request: StressRequest
  let record: RunRecord
  let allocators: [AllocatorCommand]
  private(set) var checkpoint: RunRecord.Checkpoint
  private(set) var statistics = Statistics()
  private(set) var chaos: Chaos?
  /// The number of system calls in the crash matrix.
  private(set) var matrixSize: Int?
  /// The signal that interrupted the run.
  private(set) var termination: Signal?
  /// Why the run ended early.
  private(set) var stopReason: String?

  /// Whether this session had an iteration. A complete run has none when it is resumed.
  private(set) var hasWorked = false

  private let scratch: Path
  private let crew: Crew
  private var daemon: GitDaemon?
  /// The directory for fresh roots.
  private(set) var rootParent: Path
  /// The calls that are still to be judged.
  private var calls: [Call] = []
  private let progress = ProgressLine()
  private var clock = RunClock(since: RunRecord.Checkpoint())

  /// Prepares a new run, or the rest of a run that has a checkpoint. Creates a temporary directory,
  /// which ``finish()`` removes.
  init(_ request: StressRequest, _ record: RunRecord, resuming checkpoint: RunRecord.Checkpoint?)
    throws(Failure)
  {
    self.request = request
    self.record = record
    self.checkpoint = checkpoint ?? RunRecord.Checkpoint()
    var allocators: [AllocatorCommand] = []
    for words in request.allocators { allocators.append(try Self.command(words, request)) }
    self.allocators = allocators
    ProcessEvents.hold()
    ChildProcess.adoptOrphans()
    let parent = Path(Environment.variable("TMPDIR") ?? Bytes("/tmp"))
    scratch = try attempt(
      Path.makeTemporaryDirectory(parent.appending("topic-stress")).resolved(),
      otherwise: .cannotCreate)
    rootParent = scratch
    do throws(SystemError) {
      crew = try Crew(request.processes, scratch: scratch, timeout: request.timeout)
    } catch {
      try? scratch.removeTree()
      throw Failure(error, otherwise: .cannotCreate)
    }
  }

  /// Prepares a new run that is recorded in `runs`.
  convenience init(_ request: StressRequest, in runs: Path) throws(Failure) {
    // Errors in the allocators come before any directory is created.
    for words in request.allocators { _ = try Self.command(words, request) }
    try self.init(request, RunRecord(in: runs), resuming: nil)
  }

  private static func command(
    _ words: Bytes?, _ request: StressRequest
  ) throws(Failure) -> AllocatorCommand {
    if let words { return try AllocatorCommand(parsing: words) }
    return try .topicAlloc(request.scope, timeout: request.timeout)
  }

  /// Removes the temporary directory, and the directories of the bystander in the user's root.
  func finish() {
    progress.clear()
    daemon?.stop()
    if request.root != nil { chaos?.removeBystanders() }
    rootParent.unmount()
    try? scratch.removeTree()
  }

  /// Executes all iterations. Calls `begin` before the first one, with the complete request.
  func execute(begin: (StressRequest) throws(SystemError) -> Void) throws(Failure) {
    if let root = request.root {
      request.root = try attempt(root.resolvedOrCreated(), otherwise: .cannotCreate)
    }
    if request.isServed {
      daemon = try GitDaemon(crew, scratch: scratch, isSlow: request.chaos.contains(.slow))
    }
    try prepareChaos()
    try system(begin(request))
    if checkpoint.iterations > 0 { try replay() }
    if checkpoint.floor == 0 { try measureFloor() }
    try beginStretch()
    try system(record.save(checkpoint))
    clock = RunClock(since: checkpoint)
    while isUnfinished {
      try iterate()
      progress.show(self)
    }
    try judge()
    if let matrixSize, chaos?.tally.doomed ?? 0 >= matrixSize, chaos?.tally.hit.isEmpty == true {
      add(Violation(.answered, "strace killed no process, so the crash matrix proves nothing"))
    }
    if statistics.acknowledged == 0, checkpoint.verdicts.total == 0, termination == nil {
      add(Violation(.answered, "no call of the run was answered"))
    }
    try system(record.save(checkpoint))
  }

  private var isUnfinished: Bool {
    if termination != nil || stopReason != nil { return false }
    if checkpoint.iterations == 0 { return true }
    if let duration = request.duration, checkpoint.elapsed >= duration { return false }
    return request.iterations.map { checkpoint.iterations < $0 } ?? true
  }

  private func system<Result>(
    _ call: @autoclosure () throws(SystemError) -> Result
  ) throws(Failure) -> Result {
    try attempt(call(), otherwise: .inputOutput)
  }

  // MARK: Before the first iteration

  private func prepareChaos() throws(Failure) {
    var disk: SmallDisk?
    if request.chaos.contains(.full) {
      let path = scratch.appending("disk")
      try attempt(path.makeDirectory(), otherwise: .cannotCreate)
      disk = try SmallDisk(at: path, files: request.judgeEvery * request.processes + 100)
      rootParent = path
    }
    var matrix: CrashMatrix?
    if request.chaos.contains(.syscallKill) {
      let root = scratch.appending("matrix")
      if let repositories = repositories(in: root) {
        try make(repositories)
      } else {
        try attempt(root.makeDirectory(), otherwise: .cannotCreate)
      }
      let whole = try CrashMatrix(
        of: allocators[0], crew, in: repositories(in: root)?.roots[0] ?? root,
        trace: scratch.appending("matrix.trace"))
      try? root.removeTree()
      matrix = whole
      matrixSize = whole.count
      if request.isWholeMatrix { request.iterations = whole.count }
    }
    chaos =
      request.chaos.isEmpty
      ? nil : Chaos(request.chaos, seed: request.seed, matrix: matrix, disk: disk, daemon: daemon)
  }

  /// Restores the statistics of earlier sessions, and judges what they had not judged yet.
  private func replay() throws(Failure) {
    let judged = checkpoint.judged
    let count = try system(
      record.replay(checkpoint) { calls in
        let known = calls.filter { allocators.indices.contains($0.allocator) }
        statistics.add(known)
        if let first = known.first, first.iteration > judged { self.calls += known }
      })
    guard count == checkpoint.iterations * request.processes, statistics.calls == count else {
      throw Failure(
        .data,
        "cannot resume \(record.path.bytes.quotedForMessage): its history has \(count) calls,"
          + " not \(checkpoint.iterations) times \(request.processes)",
        advice: "start a new run")
    }
    checkpoint.resumes += 1
    try judge()
  }

  /// Measures how many processes can be started and ended per second if they do nothing.
  private func measureFloor() throws(Failure) {
    guard let program = AllocatorCommand.findInPath(Bytes("true")) else { return }
    let nothing = Assignment(
      allocator: 0, name: "", root: Path("/"), program: program, arguments: [Bytes("true")])
    let rounds = 20
    let crowd = Array(repeating: nothing, count: request.processes)
    let begin = Instant.now
    for _ in 0..<rounds { _ = try system(crew.run(crowd, iteration: 0)) }
    let seconds = (Instant.now - begin).seconds
    checkpoint.floor = Double(rounds * request.processes) / seconds
    termination = crew.termination
  }

  // MARK: Iterations

  private func iterate() throws(Failure) {
    let iteration = checkpoint.iterations + 1
    hasWorked = true
    // The last iteration may have ended before the daemon was started again.
    try daemon?.ready()
    let latest = try system(
      crew.run(
        assignments(of: iteration), iteration: iteration, origin: clock.origin, chaos: chaos))
    termination = crew.termination
    chaos?.learn(span: Statistics.Trace(latest).span)
    if request.chaos.contains(.syscallKill), let victim = latest.first {
      chaos?.noteVictim(victim, of: iteration)
    }
    statistics.add(latest)
    calls += latest
    clock.read(into: &checkpoint)
    checkLeftovers(of: latest)
    try system(record.append(latest))
    // An interrupted iteration is judged, and a resume repeats it.
    if termination != nil { return }
    checkpoint.iterations = iteration
    checkpoint.historyBytes = try system(record.historyBytes())
    stopIfHopeless(latest)
    if iteration - checkpoint.judged >= request.judgeEvery {
      try judge()
      try beginStretch()
    }
    try system(record.save(checkpoint))
  }

  private func assignments(of iteration: Int) throws(SystemError) -> [Assignment] {
    // A root that is kept may have the plain name from an earlier run or session.
    let session = checkpoint.resumes > 0 ? "r\(checkpoint.resumes)" : ""
    let suffix = session + (request.root == nil ? "" : record.id.lowercased().filter { $0 != "-" })
    let roots = repositories(in: checkpoint.root)?.roots ?? [checkpoint.root]
    let assignments = (1...request.processes).map { process in
      let root = roots[(process - 1) % roots.count]
      let allocator = (process - 1) % allocators.count
      let name = "i\(iteration)p\(process)\(suffix)"
      return Assignment(
        allocator: allocator, name: name, root: root, program: allocators[allocator].program,
        arguments: allocators[allocator].arguments(root: root, name: name))
    }
    guard let chaos else { return assignments }
    return try chaos.prepare(
      assignments, iteration: iteration, root: checkpoint.root,
      highest: calls.compactMap { $0.answer?.number }.max() ?? checkpoint.base ?? 0)
  }

  /// Finds processes that outlived the iteration, and locks that are still held.
  private func checkLeftovers(of latest: [Call]) {
    for process in crew.leftBehind {
      add(
        Violation(
          .finished,
          "process \(process.id) (\(process.command.quotedForMessage)) outlived its call"
            + " and was killed",
          latest))
    }
    let repositories = repositories(in: checkpoint.root)
    let roots = repositories?.roots ?? [checkpoint.root]
    let locks = roots.flatMap { [$0.appending(Root.lockFileName), $0] }
    for path in locks + (repositories?.ledgerLocks ?? []) where LockHolder.isLocked(path) {
      let message = "\(path.bytes.quotedForMessage) is still locked\(LockHolder.clause(path))"
      add(Violation(.unlocked, message, latest))
    }
  }

  private func stopIfHopeless(_ latest: [Call]) {
    if latest.contains(where: { $0.fate == .hung }) {
      stopReason = "a process hung"
    } else if !crew.leftBehind.isEmpty {
      stopReason = "a process outlived its call"
    } else if checkpoint.iterations == 1, termination == nil,
      latest.allSatisfy({ $0.answer == nil && $0.fate != .killed && !$0.isStarved })
    {
      stopReason = "no call of the first iteration was answered"
    }
  }

  // MARK: Stretches

  /// The names in the current root; nil if it is gone, as after a reboot.
  private func entries() throws(SystemError) -> [Bytes]? {
    let repositories = repositories(in: checkpoint.root)
    if repositories != nil, !checkpoint.root.isReachable { return nil }
    var names: [Bytes] = []
    for root in repositories?.roots ?? [checkpoint.root] {
      do throws(SystemError) {
        try Descriptor(opening: root, .directory).forEachEntry { name, _ in
          names.append(Bytes(name))
        }
      } catch {
        guard error.errno == .notFound else { throw error }
        // In a clone, nobody may have got a number yet.
        if repositories == nil { return nil }
      }
    }
    return names
  }

  private func repositories(in base: Path) -> Repositories? {
    request.scope.map { Repositories(base: base, scope: $0, count: request.clones) }
  }

  private func make(_ repositories: Repositories) throws(Failure) {
    let server = repositories.base.appending(Repositories.server)
    try repositories.make(
      url: daemon?.url ?? server.bytes, isSlow: daemon == nil && request.chaos.contains(.slow))
    try daemon?.serve(repositories)
  }

  private func judge() throws(Failure) {
    defer {
      checkpoint.judged = checkpoint.iterations
      calls.removeAll(keepingCapacity: true)
    }
    if calls.isEmpty { return }
    let checker = Checker(
      calls: calls, base: checkpoint.base, entries: try system(entries()),
      lastIteration: calls.map(\.iteration).max() ?? 0,
      reserved: try repositories(in: checkpoint.root)?.reservedEntries())
    for violation in checker.violations() { add(violation) }
    checkpoint.verdicts.collisions += checker.collisions
  }

  /// Records a violation.
  func add(_ violation: Violation) {
    checkpoint.verdicts.add(violation, allocators)
  }

  private func beginStretch() throws(Failure) {
    if let root = request.root {
      checkpoint.root = try system(root.resolvedOrCreated())
      checkpoint.base = try system(entries())?.compactMap { Entry.number(of: $0) }.max()
    } else {
      if !checkpoint.root.bytes.isEmpty {
        // A resume must not judge a half removed root.
        try system(record.save(checkpoint))
        try? checkpoint.root.removeTree()
      }
      checkpoint.root = rootParent.appending("root-\(checkpoint.iterations + 1)")
      checkpoint.base = nil
      if let repositories = repositories(in: checkpoint.root) {
        try make(repositories)
      } else {
        try system(checkpoint.root.makeDirectory())
      }
    }
  }
}

extension Path {
  fileprivate func resolvedOrCreated() throws(SystemError) -> Path {
    if !isReachable { try makeDirectory() }
    return try resolved()
  }
}
