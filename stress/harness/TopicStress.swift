import CommandLine
import POSIX

extension Command {
  /// `topic-stress`.
  package static let topicStress = Command(
    "topic-stress", "test that concurrent processes never get the same number",
    Syntax(
      options: [
        OptionGroup("Runs and processes", StressRequest.runOptions),
        OptionGroup(
          "What is tested", StressRequest.allocatorOptions + ClaimsRequest.workloadOptions),
        OptionGroup("Numbers beyond one root", StressRequest.scopeOptions),
        OptionGroup("What is done to it", StressRequest.chaosOptions),
        OptionGroup("What is left", StressSession.options),
      ],
      text: """
        Runs many allocating processes at once, again and again, and judges what they report and
        what they leave: no duplicate number, no gap, nothing lost, numbers in real-time order,
        nothing locked, no process hung. Prints the collision rate, throughput and latencies.

        In each iteration, all processes start from a barrier at the same moment. A run ends early
        if a process hangs or outlives its call, or if the first iteration has no answer at all.
        Ctrl-C ends it, too; what ran is judged, and `--resume` continues it.

        A run leaves a directory named after its time, such as `20261121T083000Z-001`, with:

        - `history.jsonl`: a line for each call, with process, name, start and end in nanoseconds
          since the run began, exit code or signal, number, when it held the lock, and what it
          printed.
        - `manifest.json`: command, request, versions, kernel, file system, seed, times and verdict.
        - `checkpoint.json`: after every iteration, what `--resume` needs.
        - `report.html`: the figures with a histogram, throughput over time and timelines of the
          lock.

        The exit status is one of:

        - 0: every assertion holds.
        - 1: an assertion does not hold.
        - 64: wrong usage.
        - 65: a number is out of range, or the files of a run are damaged.
        - 69: strace or git is missing or fails.
        - 73: cannot create a file or directory.
        - 74: input or output failed.
        - 75: the run to resume is in progress.
        - 77: permission denied, or no file system may be mounted.
        - 128+N: ended by signal N.
        """,
      examples: """
        topic-stress
        topic-stress --chaos kill,lockfile --minutes 5
        topic-stress --allocator './number.sh {root} {name}'
        topic-stress --scope remote --serve --processes 40 --chaos daemon
        topic-stress --mix 'stress/allocators/locked.sh {root} {name}' --iterations 50
        """)
  ) { arguments throws(Failure) in
    if try arguments.choice("workload", of: Workload.self) == .claims {
      if try !ClaimsSession(arguments).execute() { throw Failure(.negative, nil) }
      return
    }
    if arguments.has("tasks") { throw .usage("--tasks needs --workload claims") }
    let session = try StressSession(arguments)
    if arguments.has("summary") { return try session.printSummary() }
    let outcome = try session.run()
    try session.report(outcome)
    if outcome.verdict == .failed { throw Failure(.negative, nil) }
    if let signal = outcome.run.termination { ProcessEvents.raiseAgain(signal) }
  }
}
