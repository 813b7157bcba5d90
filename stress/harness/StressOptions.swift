import CommandLine
import POSIX

extension StressRequest {
  /// The options that describe a run of allocations.
  static let options = runOptions + allocatorOptions + scopeOptions + chaosOptions

  static let runOptions = [
    Option(
      "iterations", "n", .text("N"),
      help: """
        Run N iterations (default 100). `unlimited` or `unbounded`: run until `--minutes` pass
        or Ctrl-C ends the run.
        """),
    Option("processes", "p", .text("N"), help: "Start N processes at once (default 10)."),
    Option(
      "minutes", "m", .text("M"),
      help: """
        Stop after M minutes (fractions are allowed). Without `--iterations`, the number of
        iterations is then unlimited.
        """),
    Option(
      "root", .directory("DIR"),
      help: """
        Number in DIR and keep what is created there. By default, each root is a fresh directory in
        `$TMPDIR`, or else /tmp. On ext4, a directory tree that was just removed slows down mkdir(2)
        for minutes; `TMPDIR=/dev/shm` avoids that.
        """),
    Option(
      "judge-every", .text("N"),
      help: """
        Judge the calls and the root, and start a fresh root, after every N iterations (default
        100).
        """),
    Option(
      "timeout", "w", .text("SECS"),
      help: "Treat a process as hung if it takes more than SECS seconds (default 60)."),
  ]

  static let allocatorOptions = [
    Option(
      "allocator", "a", .program("CMD"),
      help: """
        Test CMD instead of `topic-alloc`: any program that prints a number, a path, `number|path`
        or JSON with one of them. `{root}` stands for the directory, `{name}` for a name that is
        used once. CMD is split into words as in a shell, but no shell runs; if you need one, write
        `sh -c "..." sh {root} {name}`. If CMD also prints the line of `topic-alloc --verbose` on
        standard error, the report shows the times of its lock, and no two calls may hold it at
        once.
        """),
    Option(
      "mix", .program("CMD"), repeatable: true,
      help: "Let CMD number in the same root. The processes use it and the allocator in turn."),
  ]

  static let scopeOptions = [
    Option(
      "scope", .choice("SCOPE", SharedScope.self),
      help: """
        Where numbers are unique: `worktrees` or `remote`. The processes number in many work trees
        or clones, which the run creates. Numbers must be unique in all of them, and what was
        acknowledged must be in the ledger. Gaps are legal.
        """),
    Option(
      "clones", .text("N"),
      help: "Create N work trees or clones (default 8). Goes with `--scope`."),
    Option(
      "serve",
      help: """
        Serve the remote with git-daemon(1) on 127.0.0.1. Without this option, it is a bare
        repository that the clones reach by its path. Goes with `--scope remote`.
        """),
  ]

  static let chaosOptions = [
    Option(
      "chaos", "c", .choices("KIND,...", ChaosKind.self), repeatable: true,
      help: """
        Disturb the run in one or more ways, separated by commas:

        - `kill`: send SIGKILL to one to three processes at random moments.
        - `syscall-kill`: send SIGKILL at each system call of the allocator in turn (needs
          strace(1)). Without `--iterations` and `--minutes`, the run ends after the last one.
        - `pause`: stop all processes, let all but the holder of the lock continue, and continue the
          holder 1 to 20 ms later.
        - `lockfile`: delete the lock file again and again.
        - `foreign`: create, rename and remove numbered directories without a lock, never the
          highest.
        - `full`: number on a tmpfs with room for a random number of entries. Only root or a user
          namespace may mount it. Goes without `--root`.
        - `nofile`: leave about half of the processes 3 to 12 descriptors.
        - `daemon`: kill git-daemon(1) and its children, and start it again 1 to 50 ms later (needs
          `--serve`).
        - `slow`: delay each connection to the remote by 10 to 99 ms (needs `--scope remote`).

        A call that is short of space or descriptors may fail, but must leave nothing behind. With
        `--scope`, only `kill`, `syscall-kill`, `daemon` and `slow` are available.
        """),
    Option(
      "seed", "s", .text("N"),
      help: """
        Repeat the random choices of an earlier run. When they take effect, and on whom, is up to
        the scheduler.
        """),
  ]
}

extension ClaimsRequest {
  static let workloadOptions = [
    Option(
      "workload", .choice("W", Workload.self),
      help: """
        What the processes do: `numbers` (default) or `claims`. With `claims`, the processes claim
        and finish the tasks of a plan with `topic plan`, once. Each task must be done once, after
        those that it depends on, and by the worker that holds it. `--chaos` then takes `none` or
        any of `kill` (workers die in a call or at work), `pause` (workers finish after their lease
        expired) and `lockfile` (default: all three). Takes `--tasks`, `--processes`, `--seed`,
        `--timeout`, `--run-dir` and `--format`. The run leaves `history.jsonl`, the plan and its
        state.
        """),
    Option("tasks", .text("N"), help: "Give the plan of `claims` N tasks (default 1000)."),
  ]
}

extension StressSession {
  static let options = [
    Option(
      "run-dir", "d", .directory("DIR"),
      help: """
        Keep runs, and `metrics.jsonl` with a line for each of them, in DIR (default:
        `$XDG_STATE_HOME/topic-stress` or `~/.local/state/topic-stress`).
        """),
    Option(
      "resume", "r", .among("RUN", orDirectory: true) { resumable($0) },
      help: """
        Continue an unfinished run, given by its id or its directory, with the same options, seed
        and totals, after a crash, a reboot or Ctrl-C. Repeats an interrupted iteration. If the root
        is gone, judges only the history.
        """),
    Option(
      "report", .file("FILE"),
      help: "Copy the report to FILE, a self-contained page."),
    Option(
      "format", "f", .choice("FORMAT", ReportFormat.self), help: "`text` (default) or `json`."),
    Option(
      "fail-below", .text("R"),
      help: """
        Fail if the throughput is below R times the median of the last ten passed runs of the same
        configuration, such as 0.5. Throughput is measured as a share of the processes that can be
        started and ended in the same time.
        """),
    Option(
      "summary",
      help: """
        Run nothing. Summarize `metrics.jsonl`, and compare with the first run and the median of the
        last ten.
        """),
  ]

  /// The ids of runs that have a checkpoint.
  private static func resumable(_ arguments: Arguments) -> [Candidate] {
    guard let runs = try? directoryOfRuns(arguments) else { return [] }
    var names: [Bytes] = []
    try? Descriptor(opening: runs, .directory).forEachEntry { name, _ in names.append(Bytes(name)) }
    return names.filter { runs.appending($0).appending("checkpoint.json").isReachable }
      .map { String(decoding: $0, as: UTF8.self) }.sorted().map { Candidate($0) }
  }
}

extension Arguments {
  /// The kinds of chaos among `known` that `--chaos` lists, each once; `none` stands for no kind if
  /// `allowingNone`.
  func chaos(among known: [ChaosKind], allowingNone: Bool = false) throws(Failure) -> [ChaosKind] {
    var kinds: [ChaosKind] = []
    for word in values(of: "chaos").flatMap({ $0.split(separator: UInt8(ascii: ",")) }) {
      if allowingNone, word.elementsEqual(Bytes("none")) { continue }
      let kind = ChaosKind(rawValue: String(decoding: word, as: UTF8.self))
      guard let kind, known.contains(kind) else {
        throw .unknown("chaos", Bytes(word), known.map(\.rawValue) + (allowingNone ? ["none"] : []))
      }
      if !kinds.contains(kind) { kinds.append(kind) }
    }
    return kinds
  }

  /// The value of `--processes`.
  func processes() throws(Failure) -> Int { try number("processes", in: 1...1_000) ?? 10 }

  /// The value of `--seed`, or a random one.
  func seed() throws(Failure) -> UInt64 {
    UInt64(try number("seed", in: 0...Int.max) ?? Int.random(in: 0..<1_000_000_000))
  }

  /// The value of `--timeout`, in nanoseconds.
  func hangTimeout() throws(Failure) -> UInt64 {
    try seconds("timeout")?.nanoseconds ?? StressRequest.defaultTimeout
  }

  /// The value of `--minutes`, in nanoseconds; nil if it is not given.
  func minutes() throws(Failure) -> UInt64? {
    guard let value = value(of: "minutes") else { return nil }
    guard let minutes = Double(String(decoding: value, as: UTF8.self)), minutes > 0, minutes < 1e6
    else {
      throw .usage("--minutes takes minutes, such as 10 or 0.5, not \(value.quotedForMessage)")
    }
    return UInt64(minutes * 60e9)
  }
}
