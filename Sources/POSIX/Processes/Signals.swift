/// A signal: signal(7).
public struct Signal: RawRepresentable, Hashable, Sendable {
  /// The number, one of the `SIG…` constants.
  public let rawValue: Int32

  /// Creates the signal with this number.
  public init(rawValue: Int32) {
    self.rawValue = rawValue
  }

  /// Continues a stopped process.
  public static let `continue` = Signal(rawValue: _SIGCONT)
  /// Ends the process at once.
  public static let kill = Signal(rawValue: _SIGKILL)
  /// Asks the process to end.
  public static let terminate = Signal(rawValue: _SIGTERM)
  /// Stops the process until it is continued.
  public static let stop = Signal(rawValue: _SIGSTOP)
}

/// SIGXFSZ, which ends a process that writes beyond the limit of `ulimit -f`.
public enum FileSizeSignal {
  /// Ignores the signal, so such a write fails with `EFBIG` instead: signal(2).
  public static func ignore() {
    libc_signal(_SIGXFSZ, _SIG_IGN)
  }
}

/// The signals that ask a process to end: SIGHUP, SIGINT, SIGQUIT and SIGTERM.
public enum TerminationSignals {
  private static let all = (_SIGHUP, _SIGINT, _SIGQUIT, _SIGTERM)

  static var set: CInterop.SignalSet {
    var signals = CInterop.SignalSet()
    libc_sigemptyset(&signals)
    libc_sigaddset(&signals, all.0)
    libc_sigaddset(&signals, all.1)
    libc_sigaddset(&signals, all.2)
    libc_sigaddset(&signals, all.3)
    return signals
  }

  /// The signals that this process does not ignore: sigaction(2).
  static var notIgnored: CInterop.SignalSet {
    var signals = set
    for signal in [all.0, all.1, all.2, all.3] where isIgnored(signal) {
      libc_sigdelset(&signals, signal)
    }
    return signals
  }

  /// Makes the signals end the process even if it is the first one of its PID namespace, as in a
  /// container: getpid(2), sigaction(2).
  ///
  /// For that process, the kernel drops every signal with the default action: pid_namespaces(7).
  /// The exit status is 128 plus the signal.
  public static func endFirstProcess() {
    guard libc_getpid() == 1 else { return }
    let handler: @convention(c) (Int32) -> Void = { libc__exit(128 + $0) }
    for number in [all.0, all.1, all.2, all.3] where !isIgnored(number) {
      libc_signal(number, handler)
    }
  }

  /// Blocks the signals, so they wait instead of ending the process: sigprocmask(2).
  public static func hold() {
    var signals = set
    libc_sigprocmask(_SIG_BLOCK, &signals, nil)
  }

  /// Whether a pending signal will end the process: sigpending(2). An ignored signal, such as
  /// SIGHUP under nohup(1), can be pending but does not count.
  public static var isWaiting: Bool {
    var pending = CInterop.SignalSet()
    libc_sigemptyset(&pending)
    libc_sigpending(&pending)
    return waits(all.0, &pending) || waits(all.1, &pending) || waits(all.2, &pending)
      || waits(all.3, &pending)
  }

  private static func waits(_ signal: Int32, _ pending: inout CInterop.SignalSet) -> Bool {
    libc_sigismember(&pending, signal) == 1 && !isIgnored(signal)
  }

  private static func isIgnored(_ signal: Int32) -> Bool {
    var action = CInterop.SignalAction()
    libc_sigaction(signal, nil, &action)
    return unsafeBitCast(action.handler, to: Int.self) == unsafeBitCast(_SIG_IGN, to: Int.self)
  }

  /// Unblocks the signals: sigprocmask(2). A pending one ends the process here.
  public static func release() {
    var signals = set
    libc_sigprocmask(_SIG_UNBLOCK, &signals, nil)
  }
}
