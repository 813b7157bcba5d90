import POSIX

/// Measures the time and the processor time of a run over all its sessions.
struct RunClock {
  /// When the run would have begun without interruptions, in nanoseconds of the monotonic clock.
  /// That can be before the machine started, so calculate with overflow.
  let origin: UInt64
  // Negative if earlier sessions used more than this process has used so far.
  private let processorTime: Int
  private let processorTimeOfChildren: Int

  init(since checkpoint: RunRecord.Checkpoint) {
    origin = Instant.now.nanoseconds &- checkpoint.elapsed
    processorTime = Int(System.processorTime) - Int(checkpoint.processorTime)
    processorTimeOfChildren =
      Int(System.processorTimeOfChildren) - Int(checkpoint.processorTimeOfChildren)
  }

  func read(into checkpoint: inout RunRecord.Checkpoint) {
    checkpoint.elapsed = Instant.now.nanoseconds &- origin
    checkpoint.processorTime = UInt64(Int(System.processorTime) - processorTime)
    checkpoint.processorTimeOfChildren = UInt64(
      Int(System.processorTimeOfChildren) - processorTimeOfChildren)
  }
}

/// Histories and schedules count nanoseconds.
extension Instant {
  /// Nanoseconds from `earlier` to this moment; 0 if `earlier` is later.
  func nanoseconds(since earlier: Instant) -> UInt64 { (self - earlier).nanoseconds }

  /// The moment `nanoseconds` after this one.
  func advanced(byNanoseconds nanoseconds: UInt64) -> Instant {
    self + .nanoseconds(Int64(clamping: nanoseconds))
  }
}

extension UInt64 {
  /// Nanoseconds in seconds, rounded down to the millisecond.
  var seconds: Double { Duration.nanoseconds(Int64(clamping: self)).seconds }
}
