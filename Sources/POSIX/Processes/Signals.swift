#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#elseif canImport(Darwin)
  import Darwin
#endif

/// A signal of this platform: signal(7).
public struct Signal: RawRepresentable, Hashable, Sendable {
  /// The number, one of the `SIG…` constants.
  public let rawValue: Int32

  /// The signal with this number.
  public init(rawValue: Int32) {
    self.rawValue = rawValue
  }

  /// Goes on after a stop.
  public static let `continue` = Signal(rawValue: SIGCONT)
  /// Ends the process at once.
  public static let kill = Signal(rawValue: SIGKILL)
  /// Asks the process to end.
  public static let terminate = Signal(rawValue: SIGTERM)
  /// Stops the process until it is told to go on.
  public static let stop = Signal(rawValue: SIGSTOP)
}

/// SIGXFSZ, by which a write beyond the limit of `ulimit -f` ends a process.
public enum FileSizeSignal {
  /// From now on such a write fails with `EFBIG`: signal(2).
  public static func ignore() {
    signal(SIGXFSZ, SIG_IGN)
  }
}

/// The signals with which a user asks a process to end: SIGHUP, SIGINT, SIGQUIT and SIGTERM.
public enum TerminationSignals {
  private static let all = (SIGHUP, SIGINT, SIGQUIT, SIGTERM)

  static var set: sigset_t {
    var signals = sigset_t()
    sigemptyset(&signals)
    sigaddset(&signals, all.0)
    sigaddset(&signals, all.1)
    sigaddset(&signals, all.2)
    sigaddset(&signals, all.3)
    return signals
  }

  /// Those of them that are not ignored: sigaction(2).
  static var notIgnored: sigset_t {
    var signals = set
    for signal in [all.0, all.1, all.2, all.3] where isIgnored(signal) {
      sigdelset(&signals, signal)
    }
    return signals
  }

  /// Has them end the process with 128 and their number as its status when it is the first one of its
  /// PID namespace, as in a container: getpid(2), sigaction(2). There the kernel drops every signal
  /// that has the default action, see pid_namespaces(7).
  public static func endFirstProcess() {
    guard getpid() == 1 else { return }
    let handler: @convention(c) (Int32) -> Void = { _exit(128 + $0) }
    for number in [all.0, all.1, all.2, all.3] where !isIgnored(number) { signal(number, handler) }
  }

  /// From now on they wait instead of ending the process: sigprocmask(2).
  public static func hold() {
    var signals = set
    sigprocmask(SIG_BLOCK, &signals, nil)
  }

  /// Whether one of them waits that will end the process: sigpending(2). One that is ignored, as
  /// SIGHUP under nohup(1), can wait too, and then vanishes.
  public static var isWaiting: Bool {
    var pending = sigset_t()
    sigemptyset(&pending)
    sigpending(&pending)
    return waits(all.0, &pending) || waits(all.1, &pending) || waits(all.2, &pending)
      || waits(all.3, &pending)
  }

  private static func waits(_ signal: Int32, _ pending: inout sigset_t) -> Bool {
    sigismember(&pending, signal) == 1 && !isIgnored(signal)
  }

  private static func isIgnored(_ signal: Int32) -> Bool {
    var action = sigaction()
    sigaction(signal, nil, &action)
    #if canImport(Darwin)
      let handler = action.__sigaction_u.__sa_handler
    #else
      let handler = action.__sigaction_handler.sa_handler
    #endif
    return unsafeBitCast(handler, to: Int.self) == unsafeBitCast(SIG_IGN, to: Int.self)
  }

  /// Lets them through: one that waits ends the process here, as it would have at first.
  public static func release() {
    var signals = set
    sigprocmask(SIG_UNBLOCK, &signals, nil)
  }
}
