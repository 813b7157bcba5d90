/// The process-wide timer that interrupts a blocking call.
enum Alarm {
  private static let interval = Duration.milliseconds(10)

  static func start(after duration: Duration, _ path: Path) throws(SystemError) {
    var action = CInterop.SignalAction()
    let handler: @convention(c) (Int32) -> Void = { _ in }
    action.handler = handler
    // No SA_RESTART: the signal must interrupt the call.
    libc_sigaction(_SIGALRM, &action, nil)
    var alarm = CInterop.SignalSet()
    libc_sigemptyset(&alarm)
    libc_sigaddset(&alarm, _SIGALRM)
    libc_sigprocmask(_SIG_UNBLOCK, &alarm, nil)
    try set(first: duration, then: interval, path)
  }

  static func stop() {
    try? set(first: .zero, then: .zero, Path(""))
  }

  /// Sends SIGALRM after `first` and then every `then`; zero is never.
  static func set(
    first: Duration, then: Duration, _ path: Path
  ) throws(SystemError) {
    var timer = CInterop.IntervalTimer(it_interval: time(then), it_value: time(first))
    try perform(.setitimer, path) { libc_setitimer(_ITIMER_REAL, &timer, nil) }
  }

  /// Rounded up, as a zero would switch the timer off.
  private static func time(_ duration: Duration) -> CInterop.TimeValue {
    let nanoseconds = duration.nanoseconds
    let microseconds = nanoseconds / 1_000 + (nanoseconds % 1_000 == 0 ? 0 : 1)
    return CInterop.TimeValue(
      tv_sec: Int(min(microseconds / 1_000_000, 1_000_000_000)),
      tv_usec: .init(microseconds % 1_000_000))
  }
}
