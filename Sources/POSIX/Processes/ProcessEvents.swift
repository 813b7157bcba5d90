/// The events that a process waits for while it watches children: a child changes, the deadline
/// passes, or the user asks the process to end.
///
/// All of them arrive as blocked signals, so none is lost and no handler runs.
public enum ProcessEvents {
  /// An event.
  public enum Event: Hashable, Sendable {
    /// A child ended, stopped or continued.
    case childChanged
    /// The deadline is reached.
    case deadline
    /// The user asks the process to end.
    case termination(Signal)
  }

  static var set: CInterop.SignalSet {
    // An ignored signal, such as SIGHUP under nohup(1), would still be pending and taken.
    var signals = TerminationSignals.notIgnored
    libc_sigaddset(&signals, _SIGCHLD)
    libc_sigaddset(&signals, _SIGALRM)
    return signals
  }

  /// The signal mask for a new child: the mask of this process, less the signals that it blocks for
  /// its own use: sigprocmask(2).
  static var maskOfChildren: CInterop.SignalSet {
    var mask = CInterop.SignalSet()
    libc_sigprocmask(_SIG_BLOCK, nil, &mask)
    for signal in [_SIGHUP, _SIGINT, _SIGQUIT, _SIGTERM, _SIGCHLD, _SIGALRM] {
      libc_sigdelset(&mask, signal)
    }
    remove_entry_notices(&mask)
    return mask
  }

  /// Blocks the signals until ``next(before:)`` takes them: sigprocmask(2).
  public static func hold() {
    var signals = set
    libc_sigprocmask(_SIG_BLOCK, &signals, nil)
    // The system may discard an ignored signal even while it is blocked.
    let handler: @convention(c) (Int32) -> Void = { _ in }
    libc_signal(_SIGCHLD, handler)
    libc_signal(_SIGALRM, handler)
  }

  /// Waits for the next event, at most until `deadline`: setitimer(2), sigwait(3).
  public static func next(before deadline: Instant) throws(SystemError) -> Event {
    let left = deadline - .now
    if left == .zero {
      // A pending event still comes first.
      return try pendingEvent() ?? .deadline
    }
    try Alarm.set(first: left, then: .zero, Path(""))
    let number = wait()
    if number == _SIGALRM { return .deadline }
    try Alarm.set(first: .zero, then: .zero, Path(""))
    return number == _SIGCHLD ? .childChanged : .termination(Signal(rawValue: number))
  }

  /// Waits as ``next(before:)`` does, but returns nil as soon as there is something to read from `output`, or
  /// its end: poll(2). A pending event comes first. The deadline can come early.
  static func next(
    before deadline: Instant, orInputFrom output: ChildOutput
  ) throws(SystemError) -> Event? {
    if let event = try pendingEvent() { return event }
    let left = deadline - .now
    if left == .zero { return .deadline }
    // Without signalfd(2), signals are looked for now and then.
    let milliseconds = min(left.nanoseconds / 1_000_000 + 1, output.signals < 0 ? 10 : 3_600_000)
    var requests = [output.reading, output.signals].map {
      CInterop.PollRequest(fd: $0, events: Int16(_POLLIN), revents: 0)
    }
    try perform(.poll, Path("")) {
      libc_poll(&requests, .init(requests.count), Int32(milliseconds))
    }
    return requests[0].revents == 0 ? try pendingEvent() ?? .deadline : nil
  }

  private static func pendingEvent() throws(SystemError) -> Event? {
    var pending = CInterop.SignalSet()
    libc_sigemptyset(&pending)
    libc_sigpending(&pending)
    var signals = set
    for number in 1..<Int32(32)
    where libc_sigismember(&pending, number) == 1 && libc_sigismember(&signals, number) == 1 {
      let taken = wait()
      if taken == _SIGALRM { continue }
      return taken == _SIGCHLD ? .childChanged : .termination(Signal(rawValue: taken))
    }
    return nil
  }

  private static func wait() -> Int32 {
    var signals = set
    var number: Int32 = 0
    while libc_sigwait(&signals, &number) != 0 {}
    return number
  }

  /// Raises `signal` again after ``next(before:)`` took it, so it ends the process when
  /// ``TerminationSignals/release()`` unblocks it: kill(2).
  public static func raiseAgain(_ signal: Signal) {
    libc_kill(libc_getpid(), signal.rawValue)
  }
}
