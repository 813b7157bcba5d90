import CommandLine
import POSIX

/// Every system call of an allocator, to be killed at one after the other.
///
/// strace(1) lists them once; then it sends SIGKILL at the n-th, while others allocate beside it. A
/// call of which the tenth in a row is meant may not come up again, when others got there first: then
/// the process ends as usual, and is not counted.
struct CrashMatrix {
  private struct Point {
    let call: String
    /// Counts calls of this name, from 1.
    let occurrence: Int
  }

  private let strace: Path
  private let points: [Point]

  /// How many places there are to be killed at.
  var count: Int { points.count }

  /// Has `command` allocate once in `root` under strace, which writes to `trace`, and lists its system
  /// calls.
  init(
    of command: AllocatorCommand, _ crew: Crew, in root: Path, trace: Path
  ) throws(Failure) {
    guard let strace = AllocatorCommand.findInPath(Bytes("strace")) else {
      throw Failure(
        .unavailable, "--chaos syscall-kill needs strace, which is not in PATH",
        advice: "install it, for example with 'apt-get install strace'")
    }
    self.strace = strace
    // Twice: the first call of a root makes its lock file, as later ones do not.
    let plain = Assignment(
      allocator: 0, name: "matrix", root: root, program: command.program,
      arguments: command.arguments(root: root, name: "matrix"))
    var traced = Self.traced(plain, strace, ["-o"], trace)
    traced.isDoomed = true
    for assignment in [plain, traced] {
      let calls = try attempt(
        crew.run([assignment], iteration: 0), otherwise: .inputOutput)
      if let signal = crew.termination {
        ProcessEvents.raiseAgain(signal)
        throw Failure(.temporary, nil)
      }
      guard let call = calls.first, call.ending == .exited(0) else {
        throw Failure(
          .unavailable,
          "--chaos syscall-kill: a first call of '\(command.text)' failed: "
            + (calls.first.map { String(decoding: $0.error, as: UTF8.self) } ?? ""),
          advice:
            "the allocator has to work, and strace to be allowed to trace; see ptrace(2) and /proc/sys/kernel/yama"
        )
      }
    }
    let text = try attempt(
      Descriptor(opening: trace, .read).readToEnd(), otherwise: .inputOutput)
    var seen: [String: Int] = [:]
    points = text.split(separator: .newline).compactMap { line -> Point? in
      // Such as `openat(AT_FDCWD, …`; lines of signals and exits have no call.
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

  /// The same call, to be killed at the system call whose turn it is.
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
    // Without -f: the process itself, not what it starts.
    traced.arguments =
      [Bytes("strace")] + options.map { Bytes($0) } + [output.bytes, Bytes("--")]
      + [assignment.program.bytes] + assignment.arguments.dropFirst()
    return traced
  }
}
