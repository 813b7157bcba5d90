/// A moment of the monotonic clock: clock_gettime(2).
public struct Instant: Comparable, Sendable {
  /// Nanoseconds since the clock began.
  public let nanoseconds: UInt64

  /// The moment `nanoseconds` after the clock began.
  public init(nanoseconds: UInt64) {
    self.nanoseconds = nanoseconds
  }

  /// The current moment.
  public static var now: Instant {
    var time = CInterop.TimeSpecification()
    libc_clock_gettime(_CLOCK_MONOTONIC, &time)
    return Instant(nanoseconds: UInt64(time.tv_sec) * 1_000_000_000 + UInt64(time.tv_nsec))
  }

  /// The time from `earlier` to `later`; zero if `earlier` is later.
  public static func - (later: Instant, earlier: Instant) -> Duration {
    .nanoseconds(later > earlier ? Int64(clamping: later.nanoseconds - earlier.nanoseconds) : 0)
  }

  /// The moment `duration` after `instant`, or the last moment of the clock.
  public static func + (instant: Instant, duration: Duration) -> Instant {
    let (sum, overflow) = instant.nanoseconds.addingReportingOverflow(duration.nanoseconds)
    return Instant(nanoseconds: overflow ? .max : sum)
  }

  /// Waits for `duration`, whatever signals arrive: nanosleep(2).
  public static func sleep(_ duration: Duration) {
    let end = Instant.now + duration
    while case let left = (end - .now).nanoseconds, left > 0 {
      var time = CInterop.TimeSpecification(
        tv_sec: Int(left / 1_000_000_000), tv_nsec: Int(left % 1_000_000_000))
      libc_nanosleep(&time)
    }
  }

  /// Earlier moments come first.
  public static func < (left: Instant, right: Instant) -> Bool {
    left.nanoseconds < right.nanoseconds
  }
}

extension Duration {
  /// Whole nanoseconds; zero for a negative duration.
  public var nanoseconds: UInt64 {
    let (seconds, attoseconds) = components
    return seconds < 0
      ? 0 : UInt64(seconds) * 1_000_000_000 + UInt64(max(attoseconds, 0) / 1_000_000_000)
  }

  /// Seconds, rounded down to the millisecond.
  public var seconds: Double { Double(nanoseconds / 1_000_000) / 1_000 }
}
