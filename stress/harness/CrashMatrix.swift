import CommandLine
import POSIX

/// The system calls of an allocator, each a place to kill it at.
///
/// strace(1) lists them once. Then, in each iteration, it sends SIGKILL at the next one while
/// others allocate. If others got there first, the process may make fewer calls, never reach that
/// place, and end as usual; then it does not count.
struct CrashMatrix {
  private struct Point {
    let call: String
    /// The number of the call among those of its name, from 1.
    let occurrence: Int
  }

  private let strace: Path
  private let points: [Point]

  /// The number of places.
  var count: Int { points.count }

  /// Lists the system calls of an allocation by `command` in `root`, from what strace writes to
  /// `trace`.
  init(
    of command: AllocatorCommand, _ crew: Crew, in root: Path, trace: Path
  ) throws(Failure) {
    guard let strace = AllocatorCommand.findInPath(Bytes("strace")) else {
      throw Failure(
        .unavailable, "--chaos syscall-kill needs strace, which is not in PATH",
        advice: "install it, for example with 'apt-get install strace'")
    }
    self.strace = strace
    // Allocate twice: only the first call in a root creates the lock file.
    let plain = Assignment(
      allocator: 0, name: "matrix", root: root, program: command.program,
      arguments: command.arguments(root: root, name: "matrix"))
    var traced = Self.traced(plain, strace, ["-o"], trace)
    traced.isDoomed = true
    for assignment in [plain, traced] {
      let calls = try attempt(crew.run([assignment], iteration: 0), otherwise: .inputOutput)
      if let signal = crew.termination {
        ProcessEvents.raiseAgain(signal)
        throw Failure(.temporary, nil)
      }
      guard let call = calls.first, call.ending == .exited(0) else {
        throw Failure(
          .unavailable,
          "--chaos syscall-kill: a test call of '\(command.text)' failed: "
            + (calls.first.map { String(decoding: $0.error, as: UTF8.self) } ?? ""),
          advice:
            "check that the allocator works and that strace may trace it (/proc/sys/kernel/yama)"
        )
      }
    }
    let text = try attempt(Descriptor(opening: trace, .read).readToEnd(), otherwise: .inputOutput)
    var seen: [String: Int] = [:]
    points = text.split(separator: .newline).compactMap { line -> Point? in
      // A call looks like `openat(AT_FDCWD, …`. Lines about signals and exits have no call.
      let words = line.split(separator: UInt8(ascii: "("), maxSplits: 1)
      guard words.count == 2, let name = words[0].split(separator: UInt8(ascii: " ")).last,
        name.allSatisfy({
          $0 == UInt8(ascii: "_") || ($0 | 0x20) &- UInt8(ascii: "a") < 26
            || $0 &- UInt8(ascii: "0") <= 9
        })
      else { return nil }
      let call = String(decoding: name, as: UTF8.self)
      seen[call, default: 0] += 1
      return Point(call: call, occurrence: seen[call] ?? 1)
    }
  }

  /// The assignment under strace, which kills it at the system call for this iteration.
  func doom(_ assignment: Assignment, iteration: Int) -> Assignment {
    let point = points[(iteration - 1) % points.count]
    let rule = "inject=\(point.call):signal=KILL:when=\(point.occurrence)"
    var doomed = Self.traced(assignment, strace, ["-e", rule, "-o"], Path("/dev/null"))
    doomed.isDoomed = true
    return doomed
  }

  private static func traced(
    _ assignment: Assignment, _ strace: Path, _ options: [String], _ output: Path
  ) -> Assignment {
    var traced = assignment
    traced.program = strace
    // Without -f, strace traces the process, but not its children.
    traced.arguments =
      [Bytes("strace")] + options.map { Bytes($0) } + [output.bytes, Bytes("--")]
      + [assignment.program.bytes] + assignment.arguments.dropFirst()
    return traced
  }
}
