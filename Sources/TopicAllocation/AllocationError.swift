import POSIX

/// Why topics could not be allocated.
public enum AllocationError: Error, Sendable {
  /// A system call failed.
  case system(SystemError)
  /// The topics exist, but a system call failed to put them on the disk.
  case notDurable(SystemError)
  /// The lock was held by another, when known by whom, for `waited` nanoseconds.
  case lockBusy(Path, LockHolder?, waited: UInt64)
  /// The number that was asked for belongs to the topic at this path.
  case numberTaken(Int, Path)
  /// The name that is to be reused belongs to the topic at this path, which has another number than
  /// the one that was asked for.
  case nameTaken(Int, Path)
  /// The numbers from the next one to ``Style/highestNumber`` are too few.
  case numbersExhausted(Path, next: Int)
  /// Numbers had been reserved for this allocation, but somebody who takes no part in that has come up
  /// to this one in the root meanwhile.
  case reservationPassed(Int)
  /// A signal asked the process to end; what had been created was removed again, but for topics
  /// that somebody has already put something into.
  case interrupted
}

/// An allocation that failed, and what exists all the same.
public struct AllocationFailure: Error, Sendable {
  /// The topics that exist, in the order of the request.
  public let done: [Topic]
  /// The slugs of the request that got no topic.
  public let missing: [Slug]
  /// Why.
  public let reason: AllocationError
}
