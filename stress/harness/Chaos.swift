import POSIX
import TopicAllocation

/// A way to disturb a run.
enum ChaosKind: String, CaseIterable {
  case kill
  case syscallKill = "syscall-kill"
  case pause, lockfile, foreign, full, nofile, daemon, slow

  /// Whether it is available for runs with this scope.
  func goes(with scope: SharedScope?, isServed: Bool) -> Bool {
    switch self {
    case .kill, .syscallKill: true
    case .pause, .lockfile, .foreign, .full, .nofile: scope == nil
    case .daemon: isServed
    case .slow: scope == .remote
    }
  }
}

/// Disturbs the iterations of a run.
///
/// What it does, and to which processes, follows from the seed and the number of the iteration.
/// When exactly it happens is up to the scheduler.
final class Chaos {
  /// What was done so far, for the report.
  struct Tally {
    var kills = 0
    var pauses = 0
    var pausesOfHolder = 0
    var lockFilesDeleted = 0
    var foreignActs = 0
    var starved = 0
    var daemonsKilled = 0
    /// The number of calls that strace had to kill, and the places of the crash matrix where it
    /// did.
    var doomed = 0
    var hit: Set<Int> = []
  }

  private enum Act {
    case kill(place: Int)
    /// Stops all processes, finds the holder of the lock, and continues the others. If nobody holds
    /// it, tries again a little later.
    case pauseHolder(tries: Int)
    /// Continues the holder of the lock.
    case resume(ChildProcess, holder: Int)
    case deleteLockFile
    case foreign
    case killDaemon, startDaemon
  }

  let kinds: [ChaosKind]
  private(set) var tally = Tally()
  private let seed: UInt64
  private let matrix: CrashMatrix?
  private let disk: SmallDisk?
  private let daemon: GitDaemon?

  private var random = SplitMix64(seed: 0)
  private var acts: [(time: UInt64, act: Act)] = []
  private var root = Path("")
  /// The highest number known to exist. The bystander stays below it.
  private var highest = 0
  private var bystanders: [Bytes] = []
  /// About how long an iteration takes, in nanoseconds.
  private var span: UInt64 = 5_000_000

  init(
    _ kinds: [ChaosKind], seed: UInt64, matrix: CrashMatrix?, disk: SmallDisk?, daemon: GitDaemon?
  ) {
    self.kinds = kinds
    self.seed = seed
    self.matrix = matrix
    self.disk = disk
    self.daemon = daemon
  }

  /// Draws what will happen in an iteration.
  ///
  /// - Returns: What its processes run instead of `assignments`.
  func prepare(
    _ assignments: [Assignment], iteration: Int, root: Path, highest: Int
  ) throws(SystemError) -> [Assignment] {
    random = SplitMix64(seed: seed &+ UInt64(iteration) &* 0xD134_2543_DE82_EF95)
    if root != self.root { bystanders = [] }
    self.root = root
    self.highest = highest
    acts = []
    var assignments = assignments
    for kind in kinds {
      switch kind {
      case .kill:
        for _ in 0..<Int.random(in: 1...3, using: &random) {
          draw(.kill(place: Int.random(in: assignments.indices, using: &random)))
        }
      case .syscallKill:
        if let matrix { assignments[0] = matrix.doom(assignments[0], iteration: iteration) }
      case .pause: draw(.pauseHolder(tries: 20), within: span / 2)
      case .lockfile: for _ in 0..<5 { draw(.deleteLockFile) }
      case .foreign: for _ in 0..<5 { draw(.foreign) }
      case .daemon:
        // Refused calls end at once, but served ones take their time.
        if Bool.random(using: &random) { draw(.killDaemon, within: max(span, 300_000_000)) }
        for place in assignments.indices { assignments[place].isStarved = true }
      case .slow: break
      case .full:
        try disk?.leaveFree(Int.random(in: 0...assignments.count, using: &random))
        for place in assignments.indices { assignments[place].isStarved = true }
      case .nofile:
        for place in assignments.indices where Bool.random(using: &random) {
          assignments[place].descriptorLimit = Int.random(in: 3...12, using: &random)
          assignments[place].isStarved = true
          tally.starved += 1
        }
      }
    }
    acts.sort { $0.time < $1.time }
    return assignments
  }

  private func draw(_ act: Act, within time: UInt64? = nil) {
    acts.append((UInt64.random(in: 0...(time ?? span), using: &random), act))
  }

  /// Records how long an iteration took, to disturb the next one in time.
  func learn(span latest: UInt64) { span = (span * 7 + min(latest, 1_000_000_000)) / 8 }

  /// Records whether the first process of an iteration was killed at its place of the crash matrix.
  func noteVictim(_ call: Call, of iteration: Int) {
    guard let matrix else { return }
    tally.doomed += 1
    if call.ending != .exited(0) { tally.hit.insert((iteration - 1) % matrix.count) }
  }

  /// When to act next, in nanoseconds after the start of the iteration.
  var next: UInt64? { acts.first?.time }

  /// Does what is due at `time`, in nanoseconds after the start of the iteration.
  func perform(at time: UInt64, _ crew: Crew) {
    while let first = acts.first, first.time <= time {
      acts.removeFirst()
      switch first.act {
      case .kill(let place): if crew.kill(place) { tally.kills += 1 }
      case .pauseHolder(let tries): pauseHolder(tries, at: time, crew)
      case .resume(let group, let holder): resume(group, holder: holder)
      case .deleteLockFile: deleteLockFile()
      case .foreign: actAsBystander()
      case .killDaemon:
        daemon?.stop()
        tally.daemonsKilled += 1
        let pause = UInt64.random(in: 1_000_000...50_000_000, using: &random)
        schedule(.startDaemon, at: time + pause)
      case .startDaemon: try? daemon?.start()
      }
    }
  }

  private func schedule(_ act: Act, at time: UInt64) {
    let place = acts.firstIndex { $0.time > time } ?? acts.endIndex
    acts.insert((time, act), at: place)
  }

  private func pauseHolder(_ tries: Int, at time: UInt64, _ crew: Crew) {
    crew.sendToAll(.stop)
    let holder = holder()
    // Other programs may use the directory of --root, too.
    guard let holder, let group = ChildProcess(id: Int32(holder.process)).group,
      crew.sendToAll(.continue, but: group)
    else {
      crew.sendToAll(.continue)
      if tries > 0 { schedule(.pauseHolder(tries: tries - 1), at: time + 300_000) }
      return
    }
    let pause = UInt64.random(in: 1_000_000...20_000_000, using: &random)
    schedule(.resume(group, holder: holder.process), at: time + pause)
  }

  private func resume(_ group: ChildProcess, holder: Int) {
    // A stopped process releases nothing, so the holder at the end held the lock all the time.
    tally.pauses += 1
    if self.holder()?.process == holder { tally.pausesOfHolder += 1 }
    group.sendToGroup(.continue)
  }

  /// The holder of the lock of the root, or of its lock file.
  private func holder() -> LockHolder? {
    LockHolder.of(root, readings: 1)
      ?? LockHolder.of(root.appending(Root.lockFileName), readings: 1)
  }

  private func deleteLockFile() {
    do throws(SystemError) {
      try Descriptor(opening: root, .directory).removeFile(Root.lockFileName)
      tally.lockFilesDeleted += 1
    } catch {
      // The lock file does not exist right now.
    }
  }

  /// Creates, renames or removes a numbered directory without a lock, but never the highest.
  private func actAsBystander() {
    guard highest > 1, let directory = try? Descriptor(opening: root, .directory) else { return }
    let number = "\(Int.random(in: 1..<highest, using: &random))".padded(to: 3, with: "0")
    let name = Bytes(
      "\(number)_\(Checker.bystander)_\(UInt32.random(in: 0...9_999, using: &random))")
    let old = bystanders.indices.randomElement(using: &random)
    do throws(SystemError) {
      switch (Int.random(in: 0...2, using: &random), old) {
      case (0, let old?):
        try directory.rename(bystanders[old], to: name)
        bystanders[old] = name
      case (1, let old?):
        try directory.removeDirectory(bystanders[old])
        bystanders.remove(at: old)
      default:
        try directory.makeDirectory(name, .ofDirectory)
        bystanders.append(name)
      }
      tally.foreignActs += 1
    } catch {
      // The name is taken, or the disk is full.
    }
  }
}

extension Chaos {
  /// Removes the bystander's directories, in a root that is kept.
  func removeBystanders() {
    guard let directory = try? Descriptor(opening: root, .directory) else { return }
    for name in bystanders { try? directory.removeDirectory(name) }
  }
}
