import CommandLine
import POSIX

/// What the processes of a run do.
enum Workload: String, CaseIterable {
  /// They allocate numbers.
  case numbers
  /// They claim and finish the tasks of a plan.
  case claims
}

/// What a run of claims does.
struct ClaimsRequest {
  let processes: Int
  let tasks: Int
  /// The lease of each claim, in seconds.
  let lease = 1
  let chaos: [ChaosKind]
  let seed: UInt64
  /// Nanoseconds after which a call counts as hung.
  let timeout: UInt64

  init(_ arguments: Arguments) throws(Failure) {
    processes = try arguments.processes()
    tasks = try arguments.number("tasks", in: 1...100_000) ?? 1_000
    timeout = try arguments.hangTimeout()
    seed = try arguments.seed()
    let known: [ChaosKind] = [.kill, .pause, .lockfile]
    chaos =
      try arguments.has("chaos") ? arguments.chaos(among: known, allowingNone: true) : known
  }
}
