/// A process that this one has started and not yet waited for.
public struct ChildProcess: Hashable, Sendable {
  /// Its id, which is also that of its process group.
  public let id: Int32

  /// The process with this id.
  public init(id: Int32) {
    self.id = id
  }

  /// How a process ended.
  public enum End: Hashable, Sendable {
    /// With this code, 0 to 255.
    case exited(Int32)
    /// By this signal.
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

  /// A child that has ended, adopted ones included: waitpid(2). Nil when none has, or there is none.
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

  /// Whether a child is left, adopted ones included, ended or not: waitid(2).
  public static var anyIsLeft: Bool {
    var information = CInterop.SignalInformation()
    return libc_waitid(_P_ALL, 0, &information, _WEXITED | _WNOHANG | _WNOWAIT) == 0
  }

  /// Makes descendants whose parent ends children of this process. False where the system cannot.
  @discardableResult
  public static func adoptOrphans() -> Bool {
    adopt_orphans() == 0
  }

  /// The leader of its process group; nil when it is gone: getpgid(2).
  public var group: ChildProcess? {
    let leader = libc_getpgid(id)
    return leader < 0 ? nil : ChildProcess(id: leader)
  }

  /// Sends the signal to it: kill(2). Whether it is still there is not our concern.
  public func send(_ signal: Signal) {
    libc_kill(id, signal.rawValue)
  }

  /// Sends the signal to its whole process group: kill(2).
  public func sendToGroup(_ signal: Signal) {
    libc_kill(-id, signal.rawValue)
  }
}
