import CommandLine
import POSIX
import TopicAllocation

/// Runs the iterations, watches over them, and has them judged.
final class StressRun {
  private(set) var request: StressRequest
  let record: RunRecord
  let allocators: [AllocatorCommand]
  private(set) var checkpoint: RunRecord.Checkpoint
  private(set) var statistics = Statistics()
  private(set) var chaos: Chaos?
  /// How many system calls the crash matrix has.
  private(set) var matrixSize: Int?
  /// The signal with which the user ended the run.
  private(set) var termination: Signal?
  /// Why the run ended before its time.
  private(set) var stopReason: String?

  /// Whether there was an iteration in this session; a run that is complete has none when it is
  /// resumed.
  private(set) var hasWorked = false

  private let scratch: Path
  private let crew: Crew
  private var daemon: GitDaemon?
  /// Where fresh roots are made.
  private(set) var rootParent: Path
  /// The calls that are not judged yet.
  private var calls: [Call] = []
  private let progress = ProgressLine()
  private var clock = Clock(since: RunRecord.Checkpoint())

  /// Prepares a new run, or the rest of one that has a checkpoint. The temporary directory that it
  /// makes is removed by ``finish()``.
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
    // Whatever is wrong with the allocators is said before a directory is made.
    for words in request.allocators { _ = try Self.command(words, request) }
    try self.init(request, RunRecord(in: runs), resuming: nil)
  }

  private static func command(
    _ words: Bytes?, _ request: StressRequest
  ) throws(Failure) -> AllocatorCommand {
    if let words { return try AllocatorCommand(parsing: words) }
    return try .topicAlloc(request.scope, timeout: request.timeout)
  }

  /// Removes what is not to stay: the temporary directory, the bystander's in a root of the user's.
  func finish() {
    progress.clear()
    daemon?.stop()
    if request.root != nil { chaos?.removeBystanders() }
    rootParent.unmount()
    try? scratch.removeTree()
  }

  /// Everything from the first to the last iteration. `begin` is told the request once all of it is
  /// known.
  func execute(begin: (StressRequest) throws(SystemError) -> Void) throws(Failure) {
    if let root = request.root {
      request.root = try attempt(root.resolvedOrMade(), otherwise: .cannotCreate)
    }
    if request.isServed {
      daemon = try GitDaemon(crew, scratch: scratch, isSlow: request.chaos.contains(.slow))
    }
    try prepareChaos()
    try system(begin(request))
    if checkpoint.iterations > 0 { try takeUp() }
    if checkpoint.floor == 0 { try measureFloor() }
    try beginStretch()
    try system(record.save(checkpoint))
    clock = Clock(since: checkpoint)
    while goesOn {
      try iterate()
      progress.show(self)
    }
    try judge()
    if let matrixSize, chaos?.tally.doomed ?? 0 >= matrixSize, chaos?.tally.hit.isEmpty == true {
      add(Violation(.answered, "strace killed nobody, so the crash matrix says nothing"))
    }
    if statistics.acknowledged == 0, checkpoint.verdicts.total == 0, termination == nil {
      add(Violation(.answered, "no call of the run was answered"))
    }
    try system(record.save(checkpoint))
  }

  private var goesOn: Bool {
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

  /// Takes up the statistics of an earlier session, and judges what it had not judged yet.
  private func takeUp() throws(Failure) {
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
        advice: "begin a new run")
    }
    checkpoint.resumes += 1
    try judge()
  }

  /// Measures how many processes that do nothing can be started and ended in a second.
  private func measureFloor() throws(Failure) {
    guard let program = AllocatorCommand.findInPath(Bytes("true")) else { return }
    let nothing = Assignment(
      allocator: 0, name: "", root: Path("/"), program: program, arguments: [Bytes("true")])
    let rounds = 20
    let crowd = Array(repeating: nothing, count: request.processes)
    let begin = Instant.now
    for _ in 0..<rounds { _ = try system(crew.run(crowd, iteration: 0)) }
    let seconds = Double(Instant.now.nanoseconds(since: begin)) / 1e9
    checkpoint.floor = Double(rounds * request.processes) / seconds
    termination = crew.termination
  }

  // MARK: Iterations

  private func iterate() throws(Failure) {
    let iteration = checkpoint.iterations + 1
    hasWorked = true
    // An earlier iteration can have been over before it was started again.
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
    watchLocks(after: latest)
    try system(record.append(latest))
    // An iteration that the user broke off is judged, and repeated by a resume.
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
    // In a root that is kept, an earlier run or session can have left the plain name.
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

  /// Processes are gone, so nobody may hold a lock.
  private func watchLocks(after latest: [Call]) {
    for process in crew.leftBehind {
      add(
        Violation(
          .finished,
          "process \(process.id) (\(process.command.quotedForMessage)) stayed behind and was killed",
          latest))
    }
    let repositories = repositories(in: checkpoint.root)
    let roots = repositories?.roots ?? [checkpoint.root]
    let locks = roots.flatMap { [$0.appending(Root.lockFileName), $0] }
    for path in locks + (repositories?.ledgerLocks ?? []) {
      guard let file = try? Descriptor(opening: path, .read),
        let isFree = try? file.tryLock(), !isFree
      else { continue }
      let holder = LockHolder.of(path).map { ", by \($0.inWords)" } ?? ""
      add(Violation(.unlocked, "\(path.bytes.quotedForMessage) is still locked\(holder)", latest))
    }
  }

  private func stopIfHopeless(_ latest: [Call]) {
    if latest.contains(where: { $0.fate == .hung }) {
      stopReason = "a process hung"
    } else if !crew.leftBehind.isEmpty {
      stopReason = "a process stayed behind"
    } else if checkpoint.iterations == 1, termination == nil,
      latest.allSatisfy({ $0.answer == nil && $0.fate != .killed && !$0.isStarved })
    {
      stopReason = "no call of the first iteration was answered"
    }
  }

  // MARK: Stretches

  /// The names in the root at hand; nil when it is gone, as after a restart of the machine.
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
        // In a clone nobody may have been given a number.
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

  /// Counts and keeps a violation.
  func add(_ violation: Violation) {
    checkpoint.verdicts.add(violation, allocators)
  }

  private func beginStretch() throws(Failure) {
    if let root = request.root {
      checkpoint.root = try system(root.resolvedOrMade())
      checkpoint.base = try system(entries())?.compactMap { Entry.number(of: $0) }.max()
    } else {
      if !checkpoint.root.bytes.isEmpty {
        // A resume must not judge what is half removed.
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

/// How long a run takes over all its sessions, by the monotonic clock and in processor time.
private struct Clock {
  /// The moment at which the run would have begun if it had never been broken off, in nanoseconds of
  /// the monotonic clock. That can be before the machine started: count with overflow.
  let origin: UInt64
  // Less than zero when earlier sessions used more than this process has used so far.
  private let processorTime: Int
  private let processorTimeOfChildren: Int

  init(since checkpoint: RunRecord.Checkpoint) {
    origin = Instant.now.nanoseconds &- checkpoint.elapsed
    processorTime = Int(System.processorTime) - Int(checkpoint.processorTime)
    processorTimeOfChildren =
      Int(System.processorTimeOfChildren) - Int(checkpoint.processorTimeOfChildren)
  }

  func read(into checkpoint: inout RunRecord.Checkpoint) {
    checkpoint.elapsed = Instant.now.nanoseconds &- origin
    checkpoint.processorTime = UInt64(Int(System.processorTime) - processorTime)
    checkpoint.processorTimeOfChildren = UInt64(
      Int(System.processorTimeOfChildren) - processorTimeOfChildren)
  }
}

extension Path {
  fileprivate func resolvedOrMade() throws(SystemError) -> Path {
    if !isReachable { try makeDirectory() }
    return try resolved()
  }
}
