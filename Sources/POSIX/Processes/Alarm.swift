/// The timer that interrupts a call that waits. A process has one.
enum Alarm {
  private static let repeatNanoseconds: UInt64 = 10_000_000

  static func start(after nanoseconds: UInt64, _ path: Path) throws(SystemError) {
    var action = CInterop.SignalAction()
    let handler: @convention(c) (Int32) -> Void = { _ in }
    action.handler = handler
    // No SA_RESTART: the call at hand has to end.
    libc_sigaction(_SIGALRM, &action, nil)
    var alarm = CInterop.SignalSet()
    libc_sigemptyset(&alarm)
    libc_sigaddset(&alarm, _SIGALRM)
    libc_sigprocmask(_SIG_UNBLOCK, &alarm, nil)
    try set(first: nanoseconds, then: repeatNanoseconds, path)
  }

  static func stop() {
    try? set(first: 0, then: 0, Path(""))
  }

  /// Has SIGALRM come after `first` nanoseconds and every `then` after that; 0 is never.
  static func set(
    first: UInt64, then: UInt64, _ path: Path
  ) throws(SystemError) {
    var timer = CInterop.IntervalTimer(it_interval: time(then), it_value: time(first))
    try perform(.setitimer, path) { libc_setitimer(_ITIMER_REAL, &timer, nil) }
  }

  /// Rounded up, as a zero would switch the timer off.
  private static func time(_ nanoseconds: UInt64) -> CInterop.TimeValue {
    let microseconds = nanoseconds / 1_000 + (nanoseconds % 1_000 == 0 ? 0 : 1)
    return CInterop.TimeValue(
      tv_sec: Int(min(microseconds / 1_000_000, 1_000_000_000)),
      tv_usec: .init(microseconds % 1_000_000))
  }
}
