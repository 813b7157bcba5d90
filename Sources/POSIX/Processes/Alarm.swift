#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#elseif canImport(Darwin)
  import Darwin
#endif

/// The timer that interrupts a call that waits. A process has one.
enum Alarm {
  private static let repeatNanoseconds: UInt64 = 10_000_000

  static func start(after nanoseconds: UInt64, _ path: Path) throws(SystemError) {
    var action = sigaction()
    let handler: @convention(c) (Int32) -> Void = { _ in }
    #if canImport(Darwin)
      action.__sigaction_u.__sa_handler = handler
    #else
      action.__sigaction_handler.sa_handler = handler
    #endif
    // No SA_RESTART: the call at hand has to end.
    sigaction(SIGALRM, &action, nil)
    var alarm = sigset_t()
    sigemptyset(&alarm)
    sigaddset(&alarm, SIGALRM)
    sigprocmask(SIG_UNBLOCK, &alarm, nil)
    try set(first: nanoseconds, then: repeatNanoseconds, path)
  }

  static func stop() {
    try? set(first: 0, then: 0, Path(""))
  }

  /// Has SIGALRM come after `first` nanoseconds and every `then` after that; 0 is never.
  static func set(
    first: UInt64, then: UInt64, _ path: Path
  ) throws(SystemError) {
    var timer = itimerval(it_interval: time(then), it_value: time(first))
    #if canImport(Glibc)
      let clock = __itimer_which_t(ITIMER_REAL.rawValue)
    #else
      let clock = ITIMER_REAL
    #endif
    try perform(.setitimer, path) { setitimer(clock, &timer, nil) }
  }

  /// Rounded up, as a zero would switch the timer off.
  private static func time(_ nanoseconds: UInt64) -> timeval {
    let microseconds = nanoseconds / 1_000 + (nanoseconds % 1_000 == 0 ? 0 : 1)
    return timeval(
      tv_sec: time_t(min(microseconds / 1_000_000, 1_000_000_000)),
      tv_usec: suseconds_t(microseconds % 1_000_000))
  }
}
