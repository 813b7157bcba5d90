import POSIX

/// Why topics could not be allocated.
public enum AllocationError: Error, Sendable {
  /// A system call failed.
  case system(SystemError)
  /// The topics exist, but a system call failed to put them on disk.
  case notDurable(SystemError)
  /// Another process, the holder if it is known, held the lock for `waited`.
  case lockBusy(Path, LockHolder?, waited: Duration)
  /// The requested number belongs to the topic at this path.
  case numberTaken(Int, Path)
  /// The name to reuse belongs to the topic at this path, which does not have the requested number.
  case nameTaken(Int, Path)
  /// There are too few numbers from the next one to ``Style/highestNumber``.
  case numbersExhausted(Path, next: Int)
  /// Numbers were reserved for this allocation, but meanwhile somebody without a reservation took this
  /// number in the root.
  case reservationPassed(Int)
  /// A signal asked the process to end. The new topics were removed, except those that somebody had
  /// already put something into.
  case interrupted
}

/// A failed allocation, and the topics that exist anyway.
public struct AllocationFailure: Error, Sendable {
  /// The topics that exist, in the order of the request.
  public let done: [Topic]
  /// The slugs of the request that got no topic.
  public let missing: [Slug]
  /// Why it failed.
  public let reason: AllocationError
}
