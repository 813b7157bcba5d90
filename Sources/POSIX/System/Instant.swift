/// A moment of the monotonic clock, in nanoseconds since some fixed one: clock_gettime(2).
public struct Instant: Comparable, Sendable {
  /// Nanoseconds since the clock began.
  public let nanoseconds: UInt64

  /// The moment so many nanoseconds after the clock began.
  public init(nanoseconds: UInt64) {
    self.nanoseconds = nanoseconds
  }

  /// Now.
  public static var now: Instant {
    var time = CInterop.TimeSpecification()
    libc_clock_gettime(_CLOCK_MONOTONIC, &time)
    return Instant(nanoseconds: UInt64(time.tv_sec) * 1_000_000_000 + UInt64(time.tv_nsec))
  }

  /// Nanoseconds from `earlier` to this moment; 0 when `earlier` is later.
  public func nanoseconds(since earlier: Instant) -> UInt64 {
    nanoseconds > earlier.nanoseconds ? nanoseconds - earlier.nanoseconds : 0
  }

  /// The moment `nanoseconds` after this one.
  public func advanced(byNanoseconds nanoseconds: UInt64) -> Instant {
    let (sum, overflow) = self.nanoseconds.addingReportingOverflow(nanoseconds)
    return Instant(nanoseconds: overflow ? .max : sum)
  }

  /// Waits so many nanoseconds: nanosleep(2).
  public static func sleep(nanoseconds: UInt64) {
    let end = Instant.now.advanced(byNanoseconds: nanoseconds)
    // A signal can end it early.
    while case let left = end.nanoseconds(since: .now), left > 0 {
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
