import Foundation

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#elseif canImport(Darwin)
  import Darwin
#endif

/// How a process ended and what it printed.
public struct Outcome: Sendable {
  /// Its exit status; nil if a signal ended it.
  public let code: Int32?
  /// The signal that ended it; nil if it exited.
  public let signal: Int32?
  /// Its standard output.
  public let output: Data
  /// Its standard error.
  public let error: String

  /// The planned faults (`POSIX_FAULT`) that fired, in the process or its children.
  public let faults: [String]

  /// Its standard output as text.
  public var text: String { String(decoding: output, as: UTF8.self) }
  /// Its standard output line by line.
  public var lines: [String] { text.split(separator: "\n").map(String.init) }
}

/// A planned fault did not fire: the test would have passed without it.
public struct FaultMissed: Error {
  /// The faults that were planned.
  public let planned: [String]
  /// The faults that fired.
  public let happened: [String]
}

/// A wait took too long.
public struct TimeIsUp: Error {
  /// The condition that was not met.
  public let what: String
}

/// Waits until `condition` is true.
///
/// - Throws: ``TimeIsUp`` if that takes too long.
public func waitUntil(
  _ condition: @autoclosure () throws -> Bool, timeout: Double = 60,
  file: StaticString = #fileID, line: UInt = #line
) throws {
  let end = ContinuousClock.now + .seconds(timeout)
  while try !condition() {
    if ContinuousClock.now > end { throw TimeIsUp(what: "\(file):\(line)") }
    usleep(5_000)
  }
}

/// A flag that one thread sets and another reads.
private final class Flag: Sendable {
  nonisolated(unsafe) private var happened = false
  private let lock = NSLock()

  func set() { lock.withLock { happened = true } }
  var isSet: Bool { lock.withLock { happened } }
}

/// A running process.
public struct RunningProcess: Sendable {
  /// Its ID.
  public let id: pid_t
  private let files: [String]
  private let plannedFaults: [String]

  /// Starts a process. Its output goes to files, so it never waits for a reader.
  ///
  /// A fault that the environment or a script plans (`POSIX_FAULT`) must fire unless `mayMiss` is
  /// set. Otherwise ``wait()`` throws ``FaultMissed``.
  ///
  /// - Parameters:
  ///   - words: The program, looked up in PATH, and its arguments.
  ///   - environment: Variables to set. An empty value removes the variable.
  public init(
    _ words: [String], in directory: String? = nil, environment: [String: String] = [:],
    input: Data = Data(), mayMiss: Bool = false
  ) throws {
    files = ["in", "out", "err", "fired"].map {
      NSTemporaryDirectory() + "/topic-alloc-tests-\(UUID().uuidString)-\($0)"
    }
    let given = environment["POSIX_FAULT"].map { $0.isEmpty ? [] : [$0] } ?? []
    let written = words.flatMap { $0.matches(of: /POSIX_FAULT=(\S+)/).map { String($0.1) } }
    plannedFaults = mayMiss ? [] : given + written
    try input.write(to: URL(fileURLWithPath: files[0]))
    var variables = ProcessInfo.processInfo.environment
    for name in ["CLAUDE_PROJECT_DIR", "CLAUDE_SPECS_ROOT", "TOPIC_ALLOC_BIN"] {
      variables[name] = nil
    }
    for (name, value) in environment { variables[name] = value.isEmpty ? nil : value }
    variables["POSIX_FAULT_FIRED"] = files[3]

    #if canImport(Darwin)
      var actions: posix_spawn_file_actions_t?
      var attributes: posix_spawnattr_t?
    #else
      var actions = posix_spawn_file_actions_t()
      var attributes = posix_spawnattr_t()
    #endif
    // Test threads block all signals, and a child would inherit that.
    var noSignals = sigset_t()
    sigemptyset(&noSignals)
    posix_spawnattr_init(&attributes)
    defer { posix_spawnattr_destroy(&attributes) }
    posix_spawnattr_setsigmask(&attributes, &noSignals)
    posix_spawnattr_setflags(&attributes, Int16(POSIX_SPAWN_SETSIGMASK))
    posix_spawn_file_actions_init(&actions)
    defer { posix_spawn_file_actions_destroy(&actions) }
    posix_spawn_file_actions_addopen(&actions, 0, files[0], O_RDONLY, 0)
    posix_spawn_file_actions_addopen(&actions, 1, files[1], O_WRONLY | O_CREAT, 0o600)
    posix_spawn_file_actions_addopen(&actions, 2, files[2], O_WRONLY | O_CREAT, 0o600)
    let change = ["sh", "-c", "cd \"$1\" && shift && exec \"$@\"", "sh"]
    let words = directory.map { change + [$0] + words } ?? words
    let arguments = words.map { strdup($0) } + [nil]
    let strings = variables.map { strdup("\($0.key)=\($0.value)") } + [nil]
    defer { (arguments + strings).forEach { free($0) } }
    var id: pid_t = 0
    let code = posix_spawnp(&id, words[0], &actions, &attributes, arguments, strings)
    guard code == 0 else {
      throw CocoaError(.executableNotLoadable, userInfo: ["program": words[0], "errno": code])
    }
    self.id = id
  }

  /// Whether it is still running.
  public var isRunning: Bool { kill(id, 0) == 0 }

  /// Waits for the process to end.
  ///
  /// - Throws: ``TimeIsUp`` if it takes longer than `timeout`. The process is killed.
  public func wait(timeout: Double = 300) throws -> Outcome {
    var status: Int32 = 0
    let (id, isHung) = (id, Flag())
    let watch = DispatchWorkItem {
      isHung.set()
      kill(id, SIGKILL)
    }
    DispatchQueue.global().asyncAfter(deadline: .now() + timeout, execute: watch)
    defer { watch.cancel() }
    while waitpid(id, &status, 0) == -1 {
      guard errno == EINTR else { throw CocoaError(.featureUnsupported) }
    }
    defer { files.forEach { unlink($0) } }
    if isHung.isSet { throw TimeIsUp(what: "process \(id) hangs") }
    let fired = (try? String(contentsOfFile: files[3], encoding: .utf8)) ?? ""
    let faults = fired.split(separator: "\n").map(String.init)
    if faults.count < plannedFaults.count {
      throw FaultMissed(planned: plannedFaults, happened: faults)
    }
    let signal = status & 0x7F
    return Outcome(
      code: signal == 0 ? (status >> 8) & 0xFF : nil,
      signal: signal == 0 ? nil : signal,
      output: try Data(contentsOf: URL(fileURLWithPath: files[1])),
      error: String(
        decoding: try Data(contentsOf: URL(fileURLWithPath: files[2])), as: UTF8.self),
      faults: faults)
  }
}

/// Runs a process to completion.
@discardableResult
public func run(
  _ words: [String], in directory: String? = nil, environment: [String: String] = [:],
  input: Data = Data(), mayMiss: Bool = false
) throws -> Outcome {
  try RunningProcess(
    words, in: directory, environment: environment, input: input, mayMiss: mayMiss
  ).wait()
}

/// The command lines of all processes that contain `text`, with words separated by spaces: proc(5).
public func runningCommands(containing text: String) -> [String] {
  let entries = (try? FileManager.default.contentsOfDirectory(atPath: "/proc")) ?? []
  return entries.filter { Int($0) != nil }.compactMap { process in
    let line = FileManager.default.contents(atPath: "/proc/\(process)/cmdline") ?? Data()
    let words = String(decoding: line, as: UTF8.self).replacing("\0", with: " ")
    return words.contains(text) ? words : nil
  }
}

/// Runs a script in bash, with the programs of the package in PATH.
@discardableResult
public func bash(
  _ script: String, in directory: String? = nil, environment: [String: String] = [:],
  mayMiss: Bool = false
) throws -> Outcome {
  let path = Product.directory + ":" + (ProcessInfo.processInfo.environment["PATH"] ?? "")
  let variables = environment.merging(["PATH": path]) { given, _ in given }
  return try run(
    ["bash", "--noprofile", "--norc", "-c", script], in: directory, environment: variables,
    mayMiss: mayMiss)
}

/// The programs of the package, built with the tests.
public enum Product {
  /// The directory that contains them.
  public static let directory: String = {
    var directory = URL(fileURLWithPath: CommandLine.arguments[0]).standardizedFileURL
    while directory.path != "/" {
      directory.deleteLastPathComponent()
      let program = directory.appendingPathComponent("topic-alloc").path
      if FileManager.default.isExecutableFile(atPath: program) { return directory.path }
    }
    fatalError("no topic-alloc above \(CommandLine.arguments[0])")
  }()

  /// `topic-alloc`.
  public static let topicAlloc = directory + "/topic-alloc"
  /// `topic`.
  public static let topic = directory + "/topic"
  /// `topic-stress`.
  public static let topicStress = directory + "/topic-stress"
  /// The top directory of the package.
  public static let sources = URL(fileURLWithPath: #filePath)
    .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent().path

  /// Whether a program is in PATH.
  public static func hasProgram(_ name: String) -> Bool {
    (try? run(["sh", "-c", "command -v \"$1\"", "sh", name]))?.code == 0
  }
}

/// A lock that another process holds: flock(1).
public struct HeldLock: Sendable {
  /// The process that holds it.
  public let holder: RunningProcess

  /// Starts a process that locks the file at `path`, and returns when it has the lock.
  public init(_ path: String) throws {
    holder = try RunningProcess(["flock", "--no-fork", path, "sleep", "1000"])
    try waitUntil(run(["flock", "--nonblock", path, "true"]).code != 0)
  }

  /// Ends the process, which releases the lock.
  public func release() throws {
    kill(holder.id, SIGKILL)
    _ = try holder.wait()
  }
}
