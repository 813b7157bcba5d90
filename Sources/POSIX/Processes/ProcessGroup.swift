// A command and all that it starts
//
// The command leads a session, and so a process group, of its own: what it starts belongs to the group
// unless it leaves it by setsid(2) or setpgid(2). Nothing of the group outlives the call that ran it:
//
//   the command ends        the rest of the group has the grace time to end, then SIGTERM, then SIGKILL
//   the time is up          SIGTERM, the grace time, SIGKILL
//   this process is asked   the same signal; when the command has ended and something is left, SIGTERM;
//   to end                  then SIGKILL. Asking again is SIGKILL at once
//
// Orphans of the group become children of this process (where the system can do that), which waits for
// them: no zombie makes the group look alive. When this process itself is killed with SIGKILL, the
// group stays.
//
// Its output comes through a pipe and is handed on block by block while it runs. When the group is gone,
// what it has written so far is handed on; processes that have left the group are not waited for.

/// A command that runs with all that it starts in a process group of its own, which ends with it.
public struct ProcessGroup {
  /// The program, which is looked for in PATH, and its arguments.
  public let words: [Bytes]
  /// What it reads from standard input; nil for nothing.
  public var input: Spool?
  /// Whether what it writes to standard error goes where its output goes, in place of the standard
  /// error of this process.
  public var joinsErrors = false
  /// How long what is asked to end may take to do so, in nanoseconds.
  public var grace = Duration.seconds(2)

  /// The command.
  public init(_ words: [Bytes]) {
    self.words = words
  }

  /// How it ended.
  public enum Outcome: Hashable, Sendable {
    /// By itself.
    case ended(ChildProcess.End)
    /// It was not done in time.
    case deadline
    /// This process was asked to end, and passed the signal on. It still has to end itself
    /// (``ProcessEvents/raiseAgain(_:)``).
    case interrupted(Signal)
  }

  /// Runs it until it ends or `nanoseconds` are over: posix_spawnp(3), kill(2), waitpid(2). What it writes
  /// to standard output goes to `keep`, piece by piece; when that fails, the group is ended, and the error
  /// is that of the call. Signals that ask this process to end are held back from now on, also after the
  /// return.
  ///
  /// For a process that has no other children.
  public func run(
    atMost time: Duration, _ keep: @escaping (Bytes) throws(SystemError) -> Void
  ) throws(SystemError) -> Outcome {
    ChildProcess.adoptOrphans()
    ProcessEvents.hold()
    let deadline = Instant.now + time
    let output = try ChildOutput(of: name, keep)
    var group = Members(leader: try start(output), output: output)
    do throws(SystemError) {
      let outcome = try wait(for: &group, until: deadline)
      try output.drain()
      return outcome
    } catch {
      output.discard()
      if let signal = try group.end(by: .terminate, grace) { return .interrupted(signal) }
      throw error
    }
  }

  private func start(_ output: ChildOutput) throws(SystemError) -> ChildProcess {
    let input =
      if let input = self.input { try input.reader() } else { try Descriptor(inMemoryFor: name) }
    var mask = ProcessEvents.maskOfChildren
    let words = CStrings(self.words)
    let id = try perform(.fork, name) {
      let streams = [input.number, output.writing, joinsErrors ? output.writing : _STDERR_FILENO]
      return start_in_session(words.pointers, environment(), streams, &mask)
    }
    output.closeWriting()
    return ChildProcess(id: id)
  }

  private func wait(
    for group: inout Members, until deadline: Instant
  ) throws(SystemError) -> Outcome {
    switch try group.wait(until: deadline, for: \.leaderHasEnded) {
    case .reached:
      let end = group.end
      let isInterrupted = try group.finish(grace)
      if let signal = isInterrupted { return .interrupted(signal) }
      return end.map { .ended($0) } ?? .deadline
    case .deadline:
      if let signal = try group.end(by: .terminate, grace) { return .interrupted(signal) }
      return .deadline
    case .termination(let signal):
      _ = try group.end(by: signal, grace)
      return .interrupted(signal)
    }
  }

  private var name: Path { Path(words.first ?? []) }
}

/// A process group that has been started, and what is known of it.
private struct Members {
  let leader: ChildProcess
  let output: ChildOutput
  /// How the leader ended.
  var end: ChildProcess.End?

  init(leader: ChildProcess, output: ChildOutput) {
    (self.leader, self.output) = (leader, output)
  }

  var leaderHasEnded: Bool { end != nil }

  /// Whether nobody is left: kill(2) with no signal.
  var isGone: Bool { end != nil && libc_kill(-leader.id, 0) == -1 && libc_errno == _ESRCH }

  enum WaitResult {
    case reached
    case deadline
    case termination(Signal)
  }

  /// How often the group is looked at: members whose parents live elsewhere end without a signal.
  private static let slice = Duration.milliseconds(20)

  /// Waits until `condition` is true, or the deadline or a signal comes.
  mutating func wait(
    until deadline: Instant, for condition: (Members) -> Bool
  ) throws(SystemError) -> WaitResult {
    while true {
      while let ended = try ChildProcess.reap() {
        if ended.child == leader { end = ended.end }
      }
      if condition(self) { return .reached }
      if Instant.now >= deadline { return .deadline }
      let soon = Instant.now + Self.slice
      let next = end == nil ? deadline : min(deadline, soon)
      switch try ProcessEvents.next(before: next, orInputFrom: output) {
      case .termination(let signal): return .termination(signal)
      case .childChanged, .deadline: continue
      case nil: try output.read()
      }
    }
  }

  /// The leader has ended by itself: lets the others end, and ends them. Returns the signal by which
  /// this process was asked to end meanwhile.
  mutating func finish(_ grace: Duration) throws(SystemError) -> Signal? {
    switch try wait(until: Instant.now + grace, for: \.isGone) {
    case .reached: return nil
    case .deadline: return try end(by: .terminate, grace)
    case .termination(let signal):
      _ = try end(by: signal, grace)
      return signal
    }
  }

  /// Ends the group. Returns the signal by which this process was asked to end meanwhile.
  mutating func end(by signal: Signal, _ grace: Duration) throws(SystemError) -> Signal? {
    let deadline = Instant.now + grace
    var asked: Signal?
    send(signal)
    var result = try wait(until: deadline, for: \.leaderHasEnded)
    if case .reached = result, !isGone {
      // What runs in the background of a shell ignores SIGINT.
      if signal != .terminate { send(.terminate) }
      result = try wait(until: deadline, for: \.isGone)
    }
    if case .termination(let signal) = result { asked = signal }
    if isGone { return asked }
    leader.sendToGroup(.kill)
    // What waits in the kernel for a disk cannot end; it is not waited for longer than that.
    if case .termination(let signal) = try wait(
      until: Instant.now + grace, for: \.isGone)
    {
      asked = asked ?? signal
    }
    return asked
  }

  /// A process that is stopped has to go on to end.
  private func send(_ signal: Signal) {
    leader.sendToGroup(signal)
    leader.sendToGroup(.continue)
  }
}
