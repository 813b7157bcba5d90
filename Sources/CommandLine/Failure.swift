import Git
import POSIX
import TopicAllocation
import TopicLedger

/// Why a program ends early: its exit status, and what it tells the user.
public struct Failure: Error {
  /// The exit status.
  public let code: ExitCode
  /// What went wrong, with path and cause; nil when a signal ends the program or all has been said.
  public let message: String?
  /// What the user can do about it.
  public let advice: String?

  /// Creates a failure with this status, message and advice.
  public init(_ code: ExitCode, _ message: String?, advice: String? = nil) {
    self.code = code
    self.message = message
    self.advice = advice
  }

  /// Wrong usage; `--help` has the rest.
  public static func usage(_ message: String, advice: String? = nil) -> Failure {
    Failure(.usage, message, advice: advice)
  }

  /// An operand or option that is an empty string, which no user types.
  public static func emptyString(_ what: String) -> Failure {
    .usage("\(what) is an empty string", advice: "check the variable that it comes from")
  }

  /// A word that is not one of `known`; the message suggests the nearest one.
  public static func unknown(_ what: String, _ value: Bytes, _ known: [String]) -> Failure {
    let near = nearest(to: String(decoding: value, as: UTF8.self), in: known)
    return .usage(
      "unknown \(what) \(value.quotedForMessage)" + (near.map { "; did you mean '\($0)'?" } ?? ""),
      advice: near == nil ? "it is one of: " + known.joined(separator: ", ") : nil)
  }

  /// Describes every way in which an allocation can fail.
  public init(_ reason: AllocationError) {
    switch reason {
    case .system(let error):
      self.init(error, otherwise: .cannotCreate)
    case .notDurable(let error):
      self.init(error, otherwise: .inputOutput)
    case .lockBusy(let lock, let holder, let waited):
      self.init(
        .temporary,
        "cannot lock \(lock.bytes.quotedForMessage): not free after \(waited.seconds) s"
          + (holder.map { ", held by \($0.inWords)" } ?? ""),
        advice: "try again, or wait longer with --timeout")
    case .numberTaken(let number, let owner):
      self.init(
        .cannotCreate,
        "cannot take number \(number): it belongs to \(owner.bytes.quotedForMessage)",
        advice: "omit --number to get the next free one")
    case .nameTaken(let number, let topic):
      self.init(
        .cannotCreate,
        "cannot take number \(number): the name belongs to \(topic.bytes.quotedForMessage)",
        advice: "omit --number to reuse that one, or --reuse to create another one")
    case .numbersExhausted(let root, let next):
      self.init(
        .data,
        "no numbers left in \(root.bytes.quotedForMessage): the next one is \(next),"
          + " the highest possible is \(Style.highestNumber)",
        advice: "eight digits are dates; use fewer names, or another ROOT")
    case .reservationPassed(let number):
      self.init(
        .temporary, "the reserved number was overtaken: \(number) is taken here",
        advice: "try again")
    case .interrupted:
      self.init(.temporary, nil)
    }
  }

  /// The one place that says how git can fail, in words and as an exit code. `--scope root` is offered as
  /// a way out unless the work needs git in any scope.
  public init(_ error: GitError, offersRoot: Bool = true) {
    let withoutGit =
      offersRoot
      ? "number this directory without asking git: --scope root, or TOPIC_ALLOC_SCOPE=root" : nil
    switch error {
    case .system(let error): self.init(error, otherwise: .cannotCreate)
    case .noGit:
      self.init(
        .unavailable, "cannot run git: it is not in PATH",
        advice: Self.either("install git", withoutGit))
    case .noWorkTree(let root):
      let place = root.bytes.quotedForMessage
      self.init(
        .unavailable,
        (offersRoot ? "cannot number beyond \(place): it" : place) + " is not in a git work tree",
        advice: offersRoot ? "create a repository with git init, or use --scope root" : nil)
    case .repositoryMissing(let workTree, let directory):
      let git = workTree.appending(".git").bytes.quotedForMessage
      let isLinked = directory?.parent.lastComponent == Bytes("worktrees")
      let mount =
        isLinked
        ? workTree.bytes.wordForHint.map {
          "mount it there, or run in the main work tree: git worktree repair \($0)"
        } ?? "mount it there" : "mount it there"
      self.init(
        .unavailable,
        directory.map {
          "\(git) leads to the git directory \($0.bytes.quotedForMessage), which is missing"
        } ?? "\(git) is a file that does not name a git directory",
        advice: Self.either(
          directory == nil ? "repair or remove it" : mount, withoutGit))
    case .unreadable(let error):
      self.init(
        .unavailable,
        "cannot read \(error.path.bytes.quotedForMessage)"
          + "\(offersRoot ? ", which can set a scope" : ""): \(error.errno.message)",
        advice: Self.either(error.errno == .accessDenied ? "make it readable" : nil, withoutGit))
    case .repositoryRefused(let workTree, let words):
      self.init(
        .unavailable,
        "cannot determine the scope: git refuses the repository"
          + " \(workTree.bytes.quotedForMessage) and says\(Self.quoted(words))",
        advice: Self.either(Self.trust(words), withoutGit))
    case .failed(let command, let words):
      let isFull = words.contains("No space left on device")
      self.init(
        isFull ? .cannotCreate : .unavailable, "\(command) failed and says\(Self.quoted(words))",
        advice: isFull ? "free some space" : Self.either(Self.trust(words), withoutGit))
    case .noCommit(let reference, let words):
      self.init(
        .data, "\(reference.quotedForMessage) is not a commit; git says" + Self.quoted(words),
        advice: "fetch it first; a shallow clone has few commits")
    case .notInTime(let what, let waited):
      self.init(
        .temporary, "cannot reserve a number: \(what) did not finish within \(waited.seconds) s",
        advice: "try again, or wait longer with --timeout")
    case .interrupted: self.init(.temporary, nil)
    }
  }

  /// The one place that says how the ledger can fail, in words and as an exit code. `--scope root` is
  /// offered as for ``init(_:offersRoot:)``.
  public init(_ error: LedgerError, offersRoot: Bool = true) {
    let offline = "--scope worktrees numbers without the remote, --scope root without git"
    switch error {
    case .system(let error): self.init(error, otherwise: .cannotCreate)
    case .git(let error): self.init(error, offersRoot: offersRoot)
    case .unknownRemote(let remote):
      self.init(
        .unavailable, "there is no remote \(Bytes(remote).quotedForMessage)",
        advice: "list them with git remote, and choose one with --scope remote=NAME; " + offline)
    case .unreachable(let remote, let words):
      self.init(
        .unavailable,
        "cannot reach the remote \(Bytes(remote).quotedForMessage); git says\(Self.quoted(words))",
        advice: "nothing was created; "
          + (Self.trust(words)
            ?? "run 'git fetch' first if git has to ask for a password or a host key")
          + "; " + offline)
    case .refused(let remote, let words):
      self.init(
        .unavailable,
        "the remote \(Bytes(remote).quotedForMessage) refuses the reservation and says"
          + Self.quoted(words),
        advice: "allow pushes to refs/topic-alloc/* there; " + offline)
    case .notInTime(let what, let waited):
      self.init(GitError.notInTime(what: what, waited: waited), offersRoot: offersRoot)
    case .lockBusy(let lock, let holder, let waited):
      self.init(AllocationError.lockBusy(lock, holder, waited: waited))
    case .damaged(let reference, let commit):
      self.init(
        .data, "\(reference) is not a ledger: commit \(commit) does not hold a number",
        advice:
          "delete it with git update-ref -d, and on the remote if it is fetched from one;"
          + " the next reservation starts a new ledger from the numbers in use")
    case .numberReserved(let number, let owner):
      self.init(
        .cannotCreate, "cannot take number \(number): it is reserved for \(owner.quotedForMessage)",
        advice: "omit --number to get the next free one")
    case .numberTaken(let number, let owner, let place):
      self.init(
        .cannotCreate,
        "cannot take number \(number): \(owner.quotedForMessage) has it"
          + " in \(place.quotedForMessage)",
        advice: "omit --number to get the next free one")
    case .recordCut(let number, let reference):
      self.init(
        .cannotCreate,
        "cannot take number \(number): a shallow fetch has cut \(reference),"
          + " so it is unknown here whether the number is reserved",
        advice: "get the rest with git fetch --unshallow, or omit --number to get the next free one"
      )
    case .contradicted(let remote, let reference, let words):
      self.init(
        .unavailable,
        "the remote '\(remote)' rejects every reservation as outdated, but \(reference)"
          + " has not changed there; it says" + Self.quoted(words),
        advice:
          "check there whether the ref is hidden (uploadpack.hideRefs), whether pushurl and url are"
          + " different repositories, and whether a killed git left \(reference).lock; \(offline)"
      )
    case .numbersExhausted(let next):
      self.init(
        .data,
        "no numbers left: the next one is \(next), the highest possible is \(Style.highestNumber)")
    }
  }

  /// Both ways out, or the one that there is.
  private static func either(_ first: String?, _ second: String?) -> String? {
    let ways = [first, second].compactMap(\.self)
    return ways.isEmpty ? nil : ways.joined(separator: "; or ")
  }

  /// What to do when git says that a repository belongs to somebody else (git-config(1),
  /// safe.directory): the command, with the directory that git names.
  private static func trust(_ words: String) -> String? {
    let begin = "dubious ownership in repository at '"
    guard let start = words.firstRange(of: begin)?.upperBound else { return nil }
    let path = words[start...].prefix { $0 != "\n" }
    guard let end = path.lastIndex(of: "'") else { return nil }
    // Without HOME there is no file that --global means.
    guard Environment.variable("HOME") != nil,
      let word = Bytes(String(path[..<end])).wordForHint
    else { return nil }
    return "to trust its owner, run: git config --global --add safe.directory \(word)"
  }

  /// What another program printed, on lines of their own.
  private static func quoted(_ words: String) -> String {
    let lines = words.split(whereSeparator: \.isNewline).map { line in
      "\n  " + Bytes(String(line)).map { $0 == UInt8(ascii: "\t") ? 0x20 : $0 }.printable
    }
    return lines.isEmpty ? " nothing" : ":" + lines.joined()
  }

  /// A system call that failed; `otherwise` is the code where errno alone does not decide it. What is
  /// missing is an operand that does not exist, unless it was to be created.
  public init(_ error: SystemError, otherwise code: ExitCode) {
    if let found = error.found {
      self.init(
        code,
        "cannot \(error.call == .renameat ? "replace" : error.call.verb)"
          + " \(error.path.bytes.quotedForMessage): it is \(found.inWords),"
          + " not a regular file",
        advice: "move it away, or choose another directory")
      return
    }
    if error.isBusyLock {
      let holder = LockHolder.of(error.path)?.inWords
      self.init(
        .temporary,
        "cannot lock \(error.path.bytes.quotedForMessage): held by \(holder ?? "another process")",
        advice: "try again, or wait longer with --timeout")
      return
    }
    let isStream = error.path.bytes.isEmpty && error.call.stream != nil
    let subject = isStream ? error.call.stream ?? "" : error.path.bytes.quotedForMessage
    self.init(
      isStream && error.errno != .fileTooLarge
        ? .inputOutput
        : ExitCode(error)
          ?? (error.errno == .notFound && code == .inputOutput ? .noInput : code),
      "cannot \(error.call.verb) \(subject): \(error.errno.message)",
      advice: isStream && ![.noSpace, .fileTooLarge].contains(error.errno) ? nil : error.advice)
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
    case .fileTooLarge: self = error.call == .read ? .data : .inputOutput
    case .outOfRange: self = .data
    case .inputOutput, .brokenPipe: self = .inputOutput
    case .noLocks, .notSupported, .notImplemented: self = .unavailable
    case .badDescriptor where error.call == .flock: self = .unavailable
    default: return nil
    }
  }
}

extension FileStatus.Kind {
  /// With its article.
  public var inWords: String {
    switch self {
    case .directory: "a directory"
    case .file: "a file"
    case .symbolicLink: "a symbolic link"
    case .fifo: "a FIFO"
    case .socket: "a socket"
    case .device: "a device"
    }
  }
}

extension SystemCall {
  /// What the call does, to follow "cannot".
  fileprivate var verb: String {
    switch self {
    case .creat, .linkat, .mkdir, .mkdirat, .mkdtemp, .symlinkat: "create"
    case .open, .fdopendir, .fcntl, .pipe: "open"
    case .access, .fstat, .fstatat, .fstatfs, .ioctl, .lstat, .realpath, .stat, .statvfs: "find"
    case .fgetxattr, .read, .readdir, .pread, .lseek: "read"
    case .pwrite, .write: "write to"
    case .ftruncate: "shorten"
    case .renameat, .renameat2: "rename"
    case .fork: "start"
    case .mount: "mount a file system on"
    case .fsync: "put on disk"
    case .flock, .setitimer: "lock"
    case .unlinkat: "remove"
    case .fchmod: "set the permissions of"
    case .fchown: "set the group of"
    case .fsetxattr: "set an attribute of"
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
    case .linkLoop: "look for symbolic links that form a loop"
    case .notDirectory: "part of the path is a file; move it, or choose another directory"
    case .notFound where call == .mkdir: "nothing can be created there; choose another directory"
    case .notFound: "check the spelling, and look for a dangling symbolic link"
    case .fileTooLarge where call == .read:
      "the limit is \(Path.longestDocument >> 20) MiB; check that it is the right file"
    case .fileTooLarge: "raise the limit with 'ulimit -f', or choose another file system"
    case .outOfRange: "rename that segment so that its number is lower"
    case .isDirectory: "a directory has the name of a file; move it"
    case .exists: "something of that name exists; move it"
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
