extension Descriptor {
  /// Takes the exclusive lock of this file without waiting: flock(2).
  ///
  /// The lock is released with the last copy of this descriptor, even if the process dies.
  ///
  /// - Returns: False if another open file holds the lock.
  public func tryLock() throws(SystemError) -> Bool {
    do {
      try perform(.flock, path) { libc_flock(number, _LOCK_EX | _LOCK_NB) }
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
    let left = deadline - .now
    if left == .zero { return false }
    try Alarm.start(after: left, path)
    defer { Alarm.stop() }
    while true {
      do {
        try performOnce(.flock, path) { libc_flock(number, _LOCK_EX) }
        return true
      } catch {
        guard error.errno == .interrupted else { throw error }
        if Instant.now >= deadline { return false }
      }
    }
  }

  /// Waits for the lock as ``lock(until:)`` does.
  ///
  /// - Throws: An error with ``SystemError/isBusyLock`` if the deadline comes first.
  public func takeLock(until deadline: Instant) throws(SystemError) {
    guard try lock(until: deadline) else { throw SystemError(.flock, path, .wouldBlock) }
  }
}

extension SystemError {
  /// Whether another process held a lock until the deadline.
  public var isBusyLock: Bool { call == .flock && errno == .wouldBlock }
}
