import POSIX

/// What one process of an iteration is to run.
struct Assignment {
  let allocator: Int
  let name: String
  /// The root that it is to number in.
  let root: Path
  var program: Path
  var arguments: [Bytes]
  var descriptorLimit: Int?
  /// Whether it may fail, as it is short of something.
  var isStarved = false
  /// Whether it will be killed from within, by strace, which no other signal may disturb.
  var isDoomed = false
}

/// The places of the processes of an iteration, and their way from the barrier to their end.
///
/// Every place has two files that its processes print to, one iteration after another: to be read they
/// need not be polled, and a process never waits for its reader.
final class Crew {
  /// A process that prints more than this is stopped, in bytes.
  fileprivate static let mostOutput: UInt64 = 1 << 24

  private final class Place {
    let launchPad = LaunchPad()
    let output: Descriptor
    let error: Descriptor
    /// Where the output of the process at hand begins.
    var outputStart: UInt64 = 0
    var errorStart: UInt64 = 0

    init(_ number: Int, in scratch: borrowing Descriptor) throws(SystemError) {
      output = try Self.file("output.\(number)", in: scratch)
      error = try Self.file("error.\(number)", in: scratch)
    }

    /// A file that goes with its descriptor.
    private static func file(
      _ name: String, in scratch: borrowing Descriptor
    ) throws(SystemError) -> Descriptor {
      let path = scratch.path.appending(name)
      let file = try Descriptor.appending(to: path)
      try scratch.removeFile(Bytes(name))
      return file
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

  /// A process between its start and its end.
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
  /// Children that this process had before its first one; they are none of its own.
  private let inherited = Set(Processes.children().map(\.id))
  /// Processes that stay while iterations come and go.
  private var companions: Set<Int32> = []
  private var companionPlaces: [Place] = []
  /// Nanoseconds that a process may take.
  private let timeout: UInt64
  private var workers: [Worker] = []
  private var start: UInt64 = 0
  /// The signal with which the user asked the run to end.
  private(set) var termination: Signal?
  /// What was left when all were through, and was killed.
  private(set) var leftBehind: [(id: Int32, command: Bytes)] = []

  /// A crew of so many processes at once, which keeps its files in `scratch`.
  init(_ processes: Int, scratch: Path, timeout: UInt64) throws(SystemError) {
    let directory = try Descriptor(opening: scratch, .directory)
    var places: [Place] = []
    for number in 0..<processes { places.append(try Place(number, in: directory)) }
    self.places = places
    self.scratch = scratch
    self.timeout = timeout
  }

  /// Runs all assignments at once and returns what became of them, when the last one has ended.
  /// `chaos` acts meanwhile.
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

  /// Kills a process that must not go on, with what it has started.
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

  /// The children of a killed process need a moment to end; one that does not, stays.
  private func waitForOrphans() throws(SystemError) {
    let patience = Instant.now.advanced(byNanoseconds: 1_000_000_000)
    while isAnyLeft {
      try reap()
      if !isAnyLeft { return }
      if Instant.now >= patience {
        leftBehind = orphans
        while isAnyLeft {
          for orphan in orphans { ChildProcess(id: orphan.id).send(.kill) }
          try reap()
          _ = try ProcessEvents.next(before: Instant.now.advanced(byNanoseconds: 1_000_000))
        }
        return
      }
      if case .termination(let signal) = try ProcessEvents.next(
        before: Instant.now.advanced(byNanoseconds: 1_000_000))
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
      // What is printed has to be true, whatever becomes of the process after it.
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
  /// Starts a process that is no call and may stay.
  func startCompanion(_ program: Path, _ words: [Bytes]) throws(SystemError) -> ChildProcess {
    let place = try Place(0, in: Descriptor(opening: scratch, .directory))
    companionPlaces = [place]
    let barrier = try Barrier()
    let child = try place.launchPad.start(
      program, words, output: place.output, error: place.error, behind: barrier)
    companions.insert(child.id)
    barrier.open()
    return child
  }

  /// Kills one on purpose, unless it has ended or is doomed. Whether it did.
  func kill(_ place: Int) -> Bool {
    guard place < workers.count, workers[place].canBeDisturbed else { return false }
    workers[place].fate = .killed
    workers[place].child.send(.kill)
    return true
  }

  /// Sends the signal to all that have not ended, with what they have started.
  func sendToAll(_ signal: Signal) {
    for worker in workers where worker.canBeDisturbed { worker.child.sendToGroup(signal) }
  }

  /// The same, but not to one of them; nothing happens, and false is returned, when it is not there.
  func sendToAll(_ signal: Signal, but group: ChildProcess) -> Bool {
    guard workers.contains(where: { $0.child == group && $0.canBeDisturbed }) else { return false }
    for worker in workers where worker.canBeDisturbed && worker.child != group {
      worker.child.sendToGroup(signal)
    }
    return true
  }
}
