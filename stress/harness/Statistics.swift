import Metrics
import POSIX

/// Statistics of the calls of a run, in constant memory.
struct Statistics {
  /// The calls of an iteration, kept for a timeline.
  struct Trace {
    let calls: [Call]
    /// Nanoseconds from the start of the first call to the end of the last one.
    let span: UInt64

    init(_ calls: [Call]) {
      self.calls = calls
      let start = calls.map(\.start).min() ?? 0
      span = (calls.map(\.end).max() ?? start) - start
    }
  }

  /// Allocations over time, in at most ``most`` bins of equal width.
  struct Progress {
    static let most = 240
    /// The width of a bin, in nanoseconds.
    private(set) var width: UInt64 = 10_000_000
    private(set) var bins: [Int] = []

    mutating func add(at time: UInt64) {
      while time / width >= UInt64(Self.most) {
        width *= 2
        bins = stride(from: 0, to: bins.count, by: 2).map {
          bins[$0] + ($0 + 1 < bins.count ? bins[$0 + 1] : 0)
        }
      }
      let bin = Int(time / width)
      while bins.count <= bin { bins.append(0) }
      bins[bin] += 1
    }
  }

  private(set) var calls = 0
  private(set) var acknowledged = 0
  private(set) var killed = 0
  /// The number of calls that were short of something and failed.
  private(set) var refused = 0
  /// The duration of acknowledged calls, in nanoseconds.
  private(set) var latency = Histogram()
  /// Nanoseconds for which calls held the lock, if they say so.
  private(set) var held = Histogram()
  /// Nanoseconds for which calls waited for the lock, if they say so.
  private(set) var waited = Histogram()
  private(set) var progress = Progress()
  /// The first iteration, and the three slowest ones, slowest first.
  private(set) var first: Trace?
  private(set) var slowest: [Trace] = []

  /// Adds the calls of an iteration.
  mutating func add(_ iteration: [Call]) {
    for call in iteration {
      calls += 1
      if call.isIndeterminate { killed += 1 }
      if call.isStarved, case .exited = call.ending, call.answer == nil { refused += 1 }
      if let lock = call.lock {
        held.add(Double(lock.duration))
        waited.add(Double(lock.waited))
      }
      guard call.answer != nil else { continue }
      acknowledged += 1
      latency.add(Double(call.duration))
      progress.add(at: call.end)
    }
    let trace = Trace(iteration)
    if first == nil { first = trace }
    if slowest.count < 3 || trace.span > slowest[2].span {
      slowest = Array((slowest + [trace]).sorted { $0.span > $1.span }.prefix(3))
    }
  }
}
