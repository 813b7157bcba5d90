#if DEBUG
  /// Makes the n-th call of a kind fail in a real process, for tests. Only debug builds contain it.
  ///
  /// `POSIX_FAULT=mkdirat:1:28` makes the first mkdirat(2) fail with errno 28, without making the
  /// call. In place of the number, `kill` sends the process SIGKILL, and `short` lets a write(2)
  /// write one byte.
  ///
  /// When the fault fires, the plan is appended to the file that `POSIX_FAULT_FIRED` names: a test
  /// whose fault never fires tests nothing. If the plan is malformed, or names a call that
  /// ``SystemCall`` lacks, the process exits with status 99.
  ///
  /// `POSIX_TRACE=FILE` appends the name and path of every call to FILE, one per line. Tests read
  /// there which calls they can make fail.
  enum Fault {
    private enum Action {
      case fail(Errno)
      case kill
      case short
    }

    private struct Plan {
      let text: Bytes
      let call: SystemCall
      var countdown: Int
      let action: Action

      /// Parses `CALL:N:ERRNO`; nil if `text` does not have that form.
      init?(_ text: Bytes) {
        let parts = String(decoding: text, as: UTF8.self).split(separator: ":")
        guard parts.count == 3, let call = SystemCall(rawValue: String(parts[0])),
          let countdown = Int(parts[1]), countdown > 0
        else { return nil }
        switch parts[2] {
        case "kill": action = .kill
        case "short" where call == .write: action = .short
        case let number:
          guard let code = Int32(number), code > 0 else { return nil }
          action = .fail(Errno(rawValue: code))
        }
        (self.text, self.call, self.countdown) = (text, call, countdown)
      }
    }

    nonisolated(unsafe) private static var plan = parsePlan()
    nonisolated(unsafe) private static var shortensWrite = false
    private static let trace = log("POSIX_TRACE")
    private static let fired = log("POSIX_FAULT_FIRED")

    private static func parsePlan() -> Plan? {
      guard let text = libc_getenv("POSIX_FAULT").map({ Bytes(cString: $0) }) else { return nil }
      if let plan = Plan(text) { return plan }
      append(
        Bytes("POSIX_FAULT: not CALL:N:ERRNO with a call of SystemCall: ") + text,
        to: _STDERR_FILENO)
      libc__exit(99)
    }

    /// Opens the file that an environment variable names, for appending.
    private static func log(_ variable: String) -> Int32? {
      libc_getenv(variable).map {
        libc_open($0, _O_WRONLY | _O_CREAT | _O_APPEND | _O_CLOEXEC, 0o666)
      }
    }

    private static func append(_ line: Bytes, to file: Int32?) {
      guard let file else { return }
      _ = (line + [.newline]).withUnsafeBytes { libc_write(file, $0.baseAddress, $0.count) }
    }

    /// The error to fail this call with, if it is the planned one.
    static func next(_ call: SystemCall, _ path: Path) -> Errno? {
      if trace != nil { append(Bytes("\(call.rawValue) ") + path.bytes, to: trace) }
      guard var current = plan, current.call == call else { return nil }
      current.countdown -= 1
      plan = current.countdown == 0 ? nil : current
      guard current.countdown == 0 else { return nil }
      append(current.text, to: fired)
      switch current.action {
      case .kill:
        libc_kill(libc_getpid(), _SIGKILL)
        return nil
      case .short:
        shortensWrite = true
        return nil
      case .fail(let error): return error
      }
    }

    /// How many of `count` bytes the current write(2) may write.
    static func writable(_ count: Int) -> Int {
      defer { shortensWrite = false }
      return shortensWrite ? min(count, 1) : count
    }
  }
#endif
