import POSIX

/// What a process of an iteration runs.
struct Assignment {
  let allocator: Int
  let name: String
  /// The root that it numbers in.
  let root: Path
  var program: Path
  var arguments: [Bytes]
  var descriptorLimit: Int?
  /// Whether it may fail because it is short of something.
  var isStarved = false
  /// Whether strace will kill it. No other signal may interfere.
  var isDoomed = false
}

/// Runs the processes of an iteration, from the barrier to their end.
///
/// Each place of the crew has two files for the output of its processes, iteration after iteration.
/// Unlike pipes, files need no polling, and no process ever waits for a reader.
final class Crew {
  /// A process that prints more bytes than this is killed.
  fileprivate static let mostOutput: UInt64 = 1 << 24

  private final class Place {
    let launchPad = LaunchPad()
    let output: Descriptor
    let error: Descriptor
    /// Where the output of the current process begins.
    var outputStart: UInt64 = 0
    var errorStart: UInt64 = 0

    init(in scratch: borrowing Descriptor) throws(SystemError) {
      output = try .unnamedFile(in: scratch)
      error = try .unnamedFile(in: scratch)
    }

    func take(_ file: borrowing Descriptor, from start: inout UInt64) throws(SystemError) -> Bytes {
      let end = try file.status().size
      let bytes = try file.read(at: start, upTo: Int(min(end - start, Crew.mostOutput)))
      start = end
      if start > 1 << 20 {
        try file.truncate(to: 0)
        start = 0
      }
      return bytes
    }
  }

  /// A process of the current iteration.
  private struct Worker {
    let child: ChildProcess
    let assignment: Assignment
    var end: UInt64 = 0
    var ending: ChildProcess.End?
    var fate: Call.Fate

    var canBeDisturbed: Bool { ending == nil && !assignment.isDoomed }
  }

  private let places: [Place]
  private let scratch: Path
  /// Children that this process already had; they do not belong to the crew.
  private let inherited = Set(Processes.children().map(\.id))
  /// Processes that live longer than an iteration.
  private var companions: Set<Int32> = []
  private var companionPlaces: [Place] = []
  /// Nanoseconds after which a process counts as hung.
  private let timeout: UInt64
  private var workers: [Worker] = []
  private var start: UInt64 = 0
  /// The signal that interrupted the run.
  private(set) var termination: Signal?
  /// The processes that outlived the iteration and were killed.
  private(set) var leftBehind: [(id: Int32, command: Bytes)] = []

  /// Creates a crew for so many processes at once, with its files in `scratch`.
  init(_ processes: Int, scratch: Path, timeout: UInt64) throws(SystemError) {
    let directory = try Descriptor(opening: scratch, .directory)
    var places: [Place] = []
    for _ in 0..<processes { places.append(try Place(in: directory)) }
    self.places = places
    self.scratch = scratch
    self.timeout = timeout
  }

  /// Runs all assignments at once, disturbed by `chaos`, until the last one has ended.
  func run(
    _ assignments: [Assignment], iteration: Int, origin: UInt64 = 0, chaos: Chaos? = nil
  ) throws(SystemError) -> [Call] {
    workers.removeAll(keepingCapacity: true)
    leftBehind = []
    let barrier = try Barrier()
    defer { killRest() }
    for (place, assignment) in zip(places, assignments) {
      let child = try place.launchPad.start(
        assignment.program, assignment.arguments, output: place.output, error: place.error,
        descriptorLimit: assignment.descriptorLimit, behind: barrier)
      workers.append(
        Worker(
          child: child, assignment: assignment,
          fate: assignment.isDoomed ? .killed : .free))
    }
    let begin = Instant.now
    start = begin.nanoseconds
    barrier.open()
    try watch(since: begin, chaos)
    try waitForOrphans()
    return try calls(iteration: iteration, origin: origin)
  }

  private func watch(since begin: Instant, _ chaos: Chaos?) throws(SystemError) {
    let deadline = begin.advanced(byNanoseconds: timeout)
    let tick: UInt64 = 250_000_000
    while true {
      try reap()
      if workers.allSatisfy({ $0.ending != nil }) { return }
      let now = Instant.now
      if now >= deadline { killRest(.hung) }
      chaos?.perform(at: now.nanoseconds(since: begin), self)
      var next = now.advanced(byNanoseconds: tick)
      if let act = chaos?.next { next = min(next, begin.advanced(byNanoseconds: act)) }
      if now < deadline { next = min(next, deadline) }
      let event = try ProcessEvents.next(before: next)
      switch event {
      case .childChanged: break
      case .deadline: try stopRunaways()
      case .termination(let signal):
        termination = signal
        killRest(.interrupted)
      }
    }
  }

  private func reap() throws(SystemError) {
    while let (child, ending) = try ChildProcess.reap() {
      guard let place = workers.firstIndex(where: { $0.child == child }) else { continue }
      workers[place].end = Instant.now.nanoseconds
      workers[place].ending = ending
    }
  }

  private func killRest(_ fate: Call.Fate = .interrupted) {
    for place in workers.indices where workers[place].ending == nil { kill(place, fate) }
  }

  /// Kills a process and its descendants.
  private func kill(_ place: Int, _ fate: Call.Fate) {
    workers[place].fate = fate
    workers[place].child.sendToGroup(.kill)
    workers[place].child.send(.kill)
  }

  private func stopRunaways() throws(SystemError) {
    for (index, place) in places.enumerated()
    where index < workers.count && workers[index].ending == nil {
      let size = try max(
        place.output.status().size - place.outputStart, place.error.status().size - place.errorStart
      )
      if size > Self.mostOutput { kill(index, .runaway) }
    }
  }

  /// Gives the descendants of ended processes a second to end, and then kills them.
  private func waitForOrphans() throws(SystemError) {
    let patience = Instant.now + .seconds(1)
    while isAnyLeft {
      try reap()
      if !isAnyLeft { return }
      if Instant.now >= patience {
        leftBehind = orphans
        while isAnyLeft {
          for orphan in orphans { ChildProcess(id: orphan.id).send(.kill) }
          try reap()
          _ = try ProcessEvents.next(before: Instant.now + .milliseconds(1))
        }
        return
      }
      if case .termination(let signal) = try ProcessEvents.next(
        before: Instant.now + .milliseconds(1))
      {
        termination = signal
      }
    }
  }

  private var orphans: [(id: Int32, command: Bytes)] {
    Processes.children().filter { !inherited.contains($0.id) && !companions.contains($0.id) }
  }

  private var isAnyLeft: Bool {
    ChildProcess.anyIsLeft && (inherited.isEmpty && companions.isEmpty || !orphans.isEmpty)
  }

  private func calls(iteration: Int, origin: UInt64) throws(SystemError) -> [Call] {
    var calls: [Call] = []
    for (index, worker) in workers.enumerated() {
      let place = places[index]
      let output = try place.take(place.output, from: &place.outputStart)
      let error = try place.take(place.error, from: &place.errorStart)
      let ending = worker.ending ?? .exited(0)
      // A printed answer must be true even if the process is killed afterwards.
      let hasAnswered =
        ending == .exited(0) || (worker.fate == .killed && output.last == .newline)
      calls.append(
        Call(
          iteration: iteration, process: index + 1, allocator: worker.assignment.allocator,
          name: worker.assignment.name, start: start &- origin, end: worker.end &- origin,
          ending: ending, fate: worker.fate, isStarved: worker.assignment.isStarved,
          output: Bytes(output.prefix(Call.mostOutput)),
          error: Bytes(error.prefix(Call.mostOutput)),
          answer: hasAnswered ? Answer(parsing: output, root: worker.assignment.root) : nil,
          lock: LockReport(parsing: error)?.since(origin)))
    }
    return calls
  }
}

extension Crew {
  /// Starts a process that is not a call and may live longer than an iteration.
  func startCompanion(_ program: Path, _ words: [Bytes]) throws(SystemError) -> ChildProcess {
    let place = try Place(in: Descriptor(opening: scratch, .directory))
    companionPlaces = [place]
    let barrier = try Barrier()
    let child = try place.launchPad.start(
      program, words, output: place.output, error: place.error, behind: barrier)
    companions.insert(child.id)
    barrier.open()
    return child
  }

  /// Kills a process on purpose, unless it has ended or is doomed.
  ///
  /// - Returns: Whether it was killed.
  func kill(_ place: Int) -> Bool {
    guard place < workers.count, workers[place].canBeDisturbed else { return false }
    workers[place].fate = .killed
    workers[place].child.send(.kill)
    return true
  }

  /// Sends the signal to all running processes and their descendants.
  func sendToAll(_ signal: Signal) {
    for worker in workers where worker.canBeDisturbed { worker.child.sendToGroup(signal) }
  }

  /// Sends the signal to all running processes except `group`.
  ///
  /// - Returns: False, and nothing is sent, if `group` is not one of them.
  func sendToAll(_ signal: Signal, but group: ChildProcess) -> Bool {
    guard workers.contains(where: { $0.child == group && $0.canBeDisturbed }) else { return false }
    for worker in workers where worker.canBeDisturbed && worker.child != group {
      worker.child.sendToGroup(signal)
    }
    return true
  }
}

extension Descriptor {
  /// Creates a file in `directory` and removes its name, so that it ends with its descriptor.
  static func unnamedFile(in directory: borrowing Descriptor) throws(SystemError) -> Descriptor {
    let name = Bytes(".unnamed")
    let file = try Descriptor.appending(to: directory.path.appending(name))
    try directory.removeFile(name)
    return file
  }
}
