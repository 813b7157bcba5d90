/// A program to run to completion.
public struct Subprocess: Sendable {
  /// The program, looked up in PATH, and its arguments.
  public let words: [Bytes]
  /// Variables to set, as `NAME=VALUE`. They replace inherited ones.
  public var variables: [Bytes] = []
  /// Names of variables that the program does not inherit.
  public var withoutVariables: [Bytes] = []
  /// Its standard input.
  public var input = Bytes()

  /// Whether a signal that asks this process to end waits until the program ends.
  public var outlastsTermination = false

  /// Creates a subprocess from a program and its arguments.
  public init(_ words: [Bytes]) {
    self.words = words
  }

  /// How a program ended.
  public struct Outcome: Sendable {
    /// Its exit code or signal.
    public let end: ChildProcess.End
    /// Its standard output.
    public let output: Bytes
    /// Its standard error.
    public let error: Bytes
  }

  /// Why there is no outcome.
  public enum Failure: Error {
    /// A system call failed.
    case system(SystemError)
    /// The deadline came first; the program has been ended.
    case deadline
    /// A signal asked this process to end, and the program was ended. The signal is pending until
    /// ``TerminationSignals/release()``.
    case interrupted
  }

  /// Runs it until it ends or `deadline` comes: posix_spawnp(3), waitpid(2). It leads a session of its
  /// own, without a terminal. So it cannot prompt, and Ctrl-C reaches only this process,
  /// which then sends it SIGTERM and waits until it has cleaned up.
  ///
  /// For a process that has no other children.
  public func run(until deadline: Instant) throws(Failure) -> Outcome {
    let input = try file(with: self.input)
    let output = try file()
    let error = try file()
    var mask = CInterop.SignalSet()
    libc_sigprocmask(_SIG_BLOCK, nil, &mask)
    ProcessEvents.hold()
    defer { libc_sigprocmask(_SIG_SETMASK, &mask, nil) }
    do throws(SystemError) {
      let child = try start(input.number, output.number, error.number)
      switch try wait(for: child, until: deadline) {
      case .ended(let end):
        return Outcome(end: end, output: try output.contents(), error: try error.contents())
      case .deadline:
        try terminate(child)
      case .termination(let signal):
        try terminate(child)
        ProcessEvents.raiseAgain(signal)
        throw SystemError(.waitpid, name, .interrupted)
      }
    } catch {
      throw error.errno == .interrupted ? .interrupted : .system(error)
    }
    throw .deadline
  }

  private var name: Path { Path(words.first ?? []) }

  private func file(with contents: Bytes = []) throws(Failure) -> Descriptor {
    do throws(SystemError) {
      let file = try Descriptor(inMemoryFor: name)
      if !contents.isEmpty { try file.write(contents, at: 0) }
      return file
    } catch {
      throw .system(error)
    }
  }

  private func start(
    _ input: Int32, _ output: Int32, _ error: Int32
  ) throws(SystemError) -> ChildProcess {
    let arguments = CStrings(words)
    let environment = CStrings(remainingVariables + variables)
    var mask = ProcessEvents.maskOfChildren
    let id = try perform(.fork, name) {
      start_in_session(arguments.pointers, environment.pointers, [input, output, error], &mask)
    }
    return ChildProcess(id: id)
  }

  private var remainingVariables: [Bytes] {
    func name(_ variable: Bytes) -> Bytes { Bytes(variable.prefix { $0 != UInt8(ascii: "=") }) }
    let replaced = withoutVariables + variables.map(name)
    return Environment.variables.filter { !replaced.contains(name($0)) }
  }

  private enum WaitResult {
    case ended(ChildProcess.End)
    case deadline
    case termination(Signal)
  }

  private func wait(
    for child: ChildProcess, until deadline: Instant
  ) throws(SystemError) -> WaitResult {
    var held: Signal?
    defer { if let held { ProcessEvents.raiseAgain(held) } }
    while true {
      switch try ProcessEvents.next(before: deadline) {
      case .childChanged:
        while let ended = try ChildProcess.reap() {
          if ended.child == child { return .ended(ended.end) }
        }
      case .deadline: return .deadline
      case .termination(let signal):
        if !outlastsTermination { return .termination(signal) }
        held = signal
      }
    }
  }

  /// Ends the process group of `child`: with SIGTERM, then with SIGKILL.
  private func terminate(_ child: ChildProcess) throws(SystemError) {
    for signal in [Signal.terminate, .kill] {
      child.sendToGroup(signal)
      let patience = Instant.now + .seconds(2)
      while true {
        switch try wait(for: child, until: patience) {
        case .ended: return
        case .termination: continue
        case .deadline: break
        }
        break
      }
    }
  }
}
