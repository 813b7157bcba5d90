/// A child of this process that has not been waited for.
public struct ChildProcess: Hashable, Sendable {
  /// Its ID, which is also the ID of its process group.
  public let id: Int32

  /// Creates a handle for the process with this ID.
  public init(id: Int32) {
    self.id = id
  }

  /// How a process ended.
  public enum End: Hashable, Sendable {
    /// It exited with this code, 0 to 255.
    case exited(Int32)
    /// A signal ended it.
    case signaled(Int32)

    /// The exit status that a shell reports: the code, or 128 plus the signal.
    public var status: Int32 {
      switch self {
      case .exited(let code): code
      case .signaled(let signal): 128 + signal
      }
    }

    fileprivate init(status: Int32) {
      let signal = status & 0x7F
      self = signal == 0 ? .exited((status >> 8) & 0xFF) : .signaled(signal)
    }
  }

  /// Reaps a child that has ended, including an adopted one: waitpid(2). Returns nil if none has
  /// ended, or no child exists.
  public static func reap() throws(SystemError) -> (child: ChildProcess, end: End)? {
    var status: Int32 = 0
    do {
      let id = try perform(.waitpid, Path("")) { libc_waitpid(-1, &status, _WNOHANG) }
      return id == 0 ? nil : (ChildProcess(id: id), End(status: status))
    } catch {
      if error.errno == .noChildren { return nil }
      throw error
    }
  }

  /// Whether this process has children, including adopted ones and those that have ended:
  /// waitid(2).
  public static var anyIsLeft: Bool {
    var information = CInterop.SignalInformation()
    return libc_waitid(_P_ALL, 0, &information, _WEXITED | _WNOHANG | _WNOWAIT) == 0
  }

  /// Makes this process the parent of descendants that lose theirs: prctl(2). Returns false if the
  /// system does not support it.
  @discardableResult
  public static func adoptOrphans() -> Bool {
    adopt_orphans() == 0
  }

  /// The leader of its process group; nil if the process no longer exists: getpgid(2).
  public var group: ChildProcess? {
    let leader = libc_getpgid(id)
    return leader < 0 ? nil : ChildProcess(id: leader)
  }

  /// Sends it a signal: kill(2). Does nothing if it no longer exists.
  public func send(_ signal: Signal) {
    libc_kill(id, signal.rawValue)
  }

  /// Sends a signal to its whole process group: kill(2).
  public func sendToGroup(_ signal: Signal) {
    libc_kill(-id, signal.rawValue)
  }
}
