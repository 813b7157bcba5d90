#if DEBUG
  /// The seam for tests: makes the n-th call of a kind fail, in a real process. Release builds do
  /// not have it.
  ///
  /// `POSIX_FAULT=mkdirat:1:28` makes the first mkdirat(2) fail with errno 28 without making the
  /// call; with `kill` in place of the number the process gets SIGKILL there, and with `short` a
  /// write(2) writes one byte. A plan that is malformed, or names a call that ``SystemCall`` lacks,
  /// ends the process with status 99. When the call comes, the plan is appended to the file that
  /// `POSIX_FAULT_FIRED` names: a test whose fault never fires tests nothing.
  ///
  /// `POSIX_TRACE=FILE` appends the name and path of every call to FILE, one per line. A test reads
  /// there which calls it can make fail.
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

      /// Reads `CALL:N:ERRNO`; nil when it is not that.
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

    /// The file that a variable names, for appending.
    private static func log(_ variable: String) -> Int32? {
      libc_getenv(variable).map {
        libc_open($0, _O_WRONLY | _O_CREAT | _O_APPEND | _O_CLOEXEC, 0o666)
      }
    }

    private static func append(_ line: Bytes, to file: Int32?) {
      guard let file else { return }
      _ = (line + [.newline]).withUnsafeBytes { libc_write(file, $0.baseAddress, $0.count) }
    }

    /// The error with which this call has to fail, when it is the planned one.
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

    /// How many of `count` bytes the write(2) at hand may write.
    static func writable(_ count: Int) -> Int {
      defer { shortensWrite = false }
      return shortensWrite ? min(count, 1) : count
    }
  }
#endif
