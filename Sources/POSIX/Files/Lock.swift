#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#elseif canImport(Darwin)
  import Darwin
#endif

extension Descriptor {
  /// Takes the exclusive lock of this file, at once or not at all: flock(2).
  ///
  /// Returns false when another open file holds it. The lock goes with the last copy of this
  /// descriptor, also when the process dies.
  public func tryLock() throws(SystemError) -> Bool {
    do {
      try perform(.flock, path) { flock(number, LOCK_EX | LOCK_NB) }
      return true
    } catch {
      if error.errno == .wouldBlock { return false }
      throw error
    }
  }

  /// Waits in the kernel's queue for the exclusive lock, until `deadline`: flock(2).
  ///
  /// Returns false when the deadline came first. An interval timer ends the wait (setitimer(2)),
  /// so that the process sleeps until the lock is free, and wakes at that moment. It fires again
  /// and again, so that no expiry is lost between two calls.
  public func lock(until deadline: Instant) throws(SystemError) -> Bool {
    if try tryLock() { return true }
    let left = deadline.nanoseconds(since: .now)
    if left == 0 { return false }
    try Alarm.start(after: left, path)
    defer { Alarm.stop() }
    while true {
      do {
        try performOnce(.flock, path) { flock(number, LOCK_EX) }
        return true
      } catch {
        guard error.errno == .interrupted else { throw error }
        if Instant.now >= deadline { return false }
      }
    }
  }
}

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
