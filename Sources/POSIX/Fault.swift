#if DEBUG
  #if canImport(Glibc)
    import Glibc
  #elseif canImport(Musl)
    import Musl
  #elseif canImport(Darwin)
    import Darwin
  #endif

  /// The seam for tests: makes the n-th call of a kind fail, in a real process. Release builds do
  /// not have it.
  ///
  /// `POSIX_FAULT=mkdirat:1:28` makes the first mkdirat(2) fail with errno 28 without making the
  /// call; with `kill` in place of the number the process gets SIGKILL there, and with `short` a
  /// write(2) writes one byte. `POSIX_TRACE=FILE` appends the name of every call and its path to
  /// FILE, a line each, so that a test learns which calls there are to fail.
  enum Fault {
    private struct Plan {
      var call: Bytes
      var countdown: Int
      var action: Bytes
    }

    nonisolated(unsafe) private static var plan = parsePlan()
    nonisolated(unsafe) private static var shortensWrite = false
    private static let trace: Int32? = getenv("POSIX_TRACE").map {
      open($0, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0o666)
    }

    private static func parsePlan() -> Plan? {
      guard let text = getenv("POSIX_FAULT") else { return nil }
      let parts = Bytes(cString: text).split(separator: UInt8(ascii: ":")).map(Bytes.init)
      guard parts.count == 3, let countdown = Int(String(decoding: parts[1], as: UTF8.self))
      else { preconditionFailure("POSIX_FAULT is CALL:N:ERRNO") }
      return Plan(call: parts[0], countdown: countdown, action: parts[2])
    }

    /// The error with which this call has to fail, when it is the planned one.
    static func next(_ call: SystemCall, _ path: Path) -> Errno? {
      let name = Bytes(call.rawValue)
      if let trace {
        let line = name + Bytes(" ") + path.bytes + Bytes("\n")
        _ = line.withUnsafeBytes { write(trace, $0.baseAddress, $0.count) }
      }
      guard var current = plan, current.call == name else { return nil }
      current.countdown -= 1
      plan = current.countdown == 0 ? nil : current
      guard current.countdown == 0 else { return nil }
      switch String(decoding: current.action, as: UTF8.self) {
      case "kill":
        kill(getpid(), SIGKILL)
        return nil
      case "short":
        shortensWrite = true
        return nil
      case let number:
        guard let code = Int32(number) else { preconditionFailure("POSIX_FAULT names no errno") }
        return Errno(rawValue: code)
      }
    }

    /// How many of `count` bytes the write(2) at hand may write.
    static func writable(_ count: Int) -> Int {
      defer { shortensWrite = false }
      return shortensWrite ? min(count, 1) : count
    }
  }
#endif
