import POSIX
import TopicAllocation

/// Why a program ends without having done all: what it says, and with which code it ends.
public struct Failure: Error {
  /// How the program ends.
  public let code: ExitCode
  /// What went wrong, naming path and cause; nil when a signal ends the program or all is said.
  public let message: String?
  /// What to do about it, where there is something to do.
  public let advice: String?

  /// A failure with this code, message and advice.
  public init(_ code: ExitCode, _ message: String?, advice: String? = nil) {
    self.code = code
    self.message = message
    self.advice = advice
  }

  /// Wrong usage; `--help` has the rest.
  public static func usage(_ message: String, advice: String? = nil) -> Failure {
    Failure(.usage, message, advice: advice)
  }

  /// A word that is none of the `known` ones, with the nearest of them.
  public static func unknown(_ what: String, _ value: Bytes, _ known: [String]) -> Failure {
    let near = nearest(to: String(decoding: value, as: UTF8.self), in: known)
    return .usage(
      "unknown \(what) \(value.quotedForMessage)" + (near.map { "; did you mean '\($0)'?" } ?? ""),
      advice: near == nil ? "it is one of: " + known.joined(separator: ", ") : nil)
  }

  /// The one place that says how an allocation can fail, in words and as an exit code.
  init(_ reason: AllocationError) {
    switch reason {
    case .system(let error):
      self.init(error, otherwise: .cannotCreate)
    case .notDurable(let error):
      self.init(error, otherwise: .inputOutput)
    case .lockBusy(let lock, let holder, let waited):
      let seconds = Double(waited / 1_000_000) / 1_000
      self.init(
        .temporary,
        "cannot lock \(lock.bytes.quotedForMessage): not free after \(seconds) s"
          + (holder.map { ", held by \($0.inWords)" } ?? ""),
        advice: "try again, or wait longer with --timeout")
    case .numberTaken(let number, let owner):
      self.init(
        .cannotCreate,
        "cannot take number \(number): it belongs to \(owner.bytes.quotedForMessage)",
        advice: "leave --number out to get the next free one")
    case .nameTaken(let number, let topic):
      self.init(
        .cannotCreate,
        "cannot take number \(number): the name belongs to \(topic.bytes.quotedForMessage)",
        advice: "leave --number out to reuse that one, or --reuse to create another one")
    case .numbersExhausted(let root, let next):
      self.init(
        .data,
        "cannot number on in \(root.bytes.quotedForMessage): the next number is \(next),"
          + " the last one there is \(Style.highestNumber)",
        advice: "eight digits are taken for dates; use fewer names, or another ROOT")
    case .interrupted:
      self.init(.temporary, nil)
    }
  }

  /// A system call that failed; `otherwise` is the code where errno alone does not decide it.
  public init(_ error: SystemError, otherwise code: ExitCode) {
    let isStream = error.path.bytes.isEmpty && error.call.stream != nil
    let subject = isStream ? error.call.stream ?? "" : error.path.bytes.quotedForMessage
    self.init(
      isStream ? .inputOutput : ExitCode(error) ?? code,
      "cannot \(error.call.verb) \(subject): \(error.errno.message)",
      advice: isStream && error.errno != .noSpace ? nil : error.advice)
  }
}

/// The value of `call`; when that fails, the failure says so and ends the program with the code that
/// errno decides, or else with `code`.
public func attempt<Result: ~Copyable>(
  _ call: @autoclosure () throws(SystemError) -> Result, otherwise code: ExitCode
) throws(Failure) -> Result {
  do throws(SystemError) { return try call() } catch { throw Failure(error, otherwise: code) }
}

extension ExitCode {
  /// The code that the errno decides alone.
  fileprivate init?(_ error: SystemError) {
    switch error.errno {
    case .accessDenied, .notPermitted: self = .noPermission
    case .inputOutput, .brokenPipe: self = .inputOutput
    case .noLocks, .notSupported, .notImplemented: self = .unavailable
    case .badDescriptor where error.call == .flock: self = .unavailable
    default: return nil
    }
  }
}

extension SystemCall {
  /// What the call does, to follow "cannot".
  fileprivate var verb: String {
    switch self {
    case .creat, .mkdir, .mkdirat, .mkdtemp: "create"
    case .open, .fdopendir, .fcntl, .pipe: "open"
    case .access, .fstat, .fstatfs, .ioctl, .lstat, .realpath, .stat, .statvfs: "find"
    case .read, .readdir, .pread: "read"
    case .pwrite, .write: "write to"
    case .ftruncate: "shorten"
    case .renameat: "rename"
    case .fork: "start"
    case .mount: "mount a file system on"
    case .fsync: "put on disk"
    case .flock, .setitimer: "lock"
    case .unlinkat: "remove"
    case .fchown: "set the group of"
    case .poll, .waitpid: "wait for"
    }
  }

  /// What a call without a path works on.
  fileprivate var stream: String? {
    switch self {
    case .read: "standard input"
    case .poll, .write: "standard output"
    default: nil
    }
  }
}

extension SystemError {
  /// What a user can do about it.
  fileprivate var advice: String? {
    switch errno {
    case .accessDenied, .notPermitted:
      "ask the owner for permission, or choose another directory"
    case .readOnly: "choose a directory that can be written"
    case .noSpace: "free some space, or choose a directory on another file system"
    case .diskQuota: "free some space, or have the quota raised"
    case .tooManyOpenFiles: "raise the limit with 'ulimit -n', or close files"
    case .tooManyOpenFilesInSystem: "close files, or raise fs.file-max"
    case .nameTooLong: "use a shorter path"
    case .linkLoop: "look for symbolic links that lead in a circle"
    case .notDirectory: "something on the way is a file; move it, or choose another directory"
    case .notFound: "check the spelling, and for a symbolic link that leads nowhere"
    case .isDirectory: "a directory has the name of a file; move it"
    case .exists: "something has that name already; move it"
    case .noLocks, .notSupported, .notImplemented,
      .badDescriptor where call == .flock:
      "use a file system with flock(2); NFS needs its lock service"
    default: nil
    }
  }
}

extension LockHolder {
  /// Such as `process 708 (bash number.sh)`.
  public var inWords: String {
    command.isEmpty ? "process \(process)" : "process \(process) (\(command.quotedForMessage))"
  }
}
