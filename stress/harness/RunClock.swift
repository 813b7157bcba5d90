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
