// A command and everything it starts
//
// The command leads its own session, and therefore its own process group. Whatever it starts
// belongs to the group, unless it leaves by setsid(2) or setpgid(2). Nothing in the group outlives
// the call:
//
//   the command ends        The rest of the group gets the grace period, then SIGTERM, then
//                           SIGKILL.
//   the time is up          SIGTERM, the grace period, SIGKILL.
//   this process is asked   The group gets the same signal. If members remain after the command
//   to end                  ends, SIGTERM, then SIGKILL. A second request sends SIGKILL at once.
//
// Where the system supports it, this process adopts and reaps orphans of the group. Otherwise a
// zombie would make the group look alive. If this process itself is killed with SIGKILL, the group
// survives.
//
// Output arrives through a pipe and is passed on in blocks while the command runs. When the group
// is gone, what is left in the pipe is passed on, without waiting for processes that have left the
// group.

/// A command that runs in its own process group, which ends with it.
public struct ProcessGroup {
  /// The program, looked up in PATH, and its arguments.
  public let words: [Bytes]
  /// Its standard input; nil for an empty one.
  public var input: Spool?
  /// Whether its standard error joins its output. Otherwise it shares the standard error of this
  /// process.
  public var joinsErrors = false
  /// The grace period: how long a process may take to end after SIGTERM.
  public var grace = Duration.seconds(2)

  /// Creates a process group for a command.
  public init(_ words: [Bytes]) {
    self.words = words
  }

  /// How it ended.
  public enum Outcome: Hashable, Sendable {
    /// The command ended by itself.
    case ended(ChildProcess.End)
    /// The command was not done in time.
    case deadline
    /// A signal asked this process to end, and the group got it too. This process still has to end:
    /// ``ProcessEvents/raiseAgain(_:)``.
    case interrupted(Signal)
  }

  /// Runs it until it ends or `time` is over: posix_spawnp(3), kill(2), waitpid(2). What it writes
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

/// A running process group and its state so far.
private struct Members {
  let leader: ChildProcess
  let output: ChildOutput
  /// How the leader ended.
  var end: ChildProcess.End?

  init(leader: ChildProcess, output: ChildOutput) {
    (self.leader, self.output) = (leader, output)
  }

  var leaderHasEnded: Bool { end != nil }

  /// Whether no member is left: kill(2) with signal 0.
  var isGone: Bool { end != nil && libc_kill(-leader.id, 0) == -1 && libc_errno == _ESRCH }

  enum WaitResult {
    case reached
    case deadline
    case termination(Signal)
  }

  /// How often to check the group: members whose parents live elsewhere end without a signal.
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

  /// Waits for the rest of the group after the leader has ended, then ends it. Returns a signal
  /// that asked this process to end meanwhile.
  mutating func finish(_ grace: Duration) throws(SystemError) -> Signal? {
    switch try wait(until: Instant.now + grace, for: \.isGone) {
    case .reached: return nil
    case .deadline: return try end(by: .terminate, grace)
    case .termination(let signal):
      _ = try end(by: signal, grace)
      return signal
    }
  }

  /// Ends the group. Returns a signal that asked this process to end meanwhile.
  mutating func end(by signal: Signal, _ grace: Duration) throws(SystemError) -> Signal? {
    let deadline = Instant.now + grace
    var asked: Signal?
    send(signal)
    var result = try wait(until: deadline, for: \.leaderHasEnded)
    if case .reached = result, !isGone {
      // Background jobs of a shell ignore SIGINT.
      if signal != .terminate { send(.terminate) }
      result = try wait(until: deadline, for: \.isGone)
    }
    if case .termination(let signal) = result { asked = signal }
    if isGone { return asked }
    leader.sendToGroup(.kill)
    // A process that waits in the kernel for a disk cannot end, so this wait is limited.
    if case .termination(let signal) = try wait(
      until: Instant.now + grace, for: \.isGone)
    {
      asked = asked ?? signal
    }
    return asked
  }

  /// Sends `signal` to the group, and continues stopped processes so they can act on it.
  private func send(_ signal: Signal) {
    leader.sendToGroup(signal)
    leader.sendToGroup(.continue)
  }
}
