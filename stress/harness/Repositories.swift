import CommandLine
import POSIX

/// Where the numbers of a run are unique, beyond one root.
enum SharedScope: String, CaseIterable {
  case worktrees, remote
}

/// The work trees or clones of a stretch, each with a root.
struct Repositories {
  /// The directory that holds them.
  let base: Path
  let scope: SharedScope
  let count: Int

  /// The name of the root in each of them.
  private static let rootName = "specs"
  private static let ledger = "refs/topic-alloc/specs"
  /// The name of the repository that clones push to.
  static let server = "server.git"

  /// Their roots, in order.
  var roots: [Path] { (1...count).map { clone($0).appending(Self.rootName) } }

  /// The existing locks of their ledgers.
  var ledgerLocks: [Path] {
    (1...count).map { clone($0).appending(".git/topic-alloc.lock") }.filter { $0.isReachable }
  }

  private func clone(_ number: Int) -> Path { base.appending("clone-\(number)") }

  /// Creates them in a new directory.
  ///
  /// - Parameters:
  ///   - url: Where clones find the server.
  ///   - isSlow: Whether connections to a server by path are delayed.
  func make(url: Bytes, isSlow: Bool) throws(Failure) {
    try attempt(base.makeDirectory(), otherwise: .cannotCreate)
    switch scope {
    case .worktrees:
      try git(base, "init", "--quiet", "clone-1")
      try name(1)
      try git(clone(1), "commit", "--quiet", "--allow-empty", "--message=x")
      for number in 1...count where number > 1 {
        try git(clone(1), "worktree", "add", "--quiet", "--detach", "../clone-\(number)")
      }
    case .remote:
      try git(base, "init", "--quiet", "--bare", Self.server)
      for number in 1...count {
        try git(base, "init", "--quiet", "clone-\(number)")
        try name(number)
        try run(clone(number), [Bytes("remote"), Bytes("add"), Bytes("origin"), url])
        for program in isSlow ? ["upload", "receive"] : [] {
          try git(
            clone(number), "config", "remote.origin.\(program)pack",
            "sleep 0.0$(($$ % 90 + 10)); git-\(program)-pack")
        }
      }
    }
  }

  /// Waits until a newly started server answers at `url`.
  func waitForServer(at url: Bytes) throws(Failure) {
    let deadline = Instant.now + .seconds(10)
    while true {
      do throws(Failure) {
        try run(base, [Bytes("ls-remote"), url])
        return
      } catch {
        if Instant.now >= deadline || error.code != .unavailable { throw error }
      }
      Instant.sleep(.milliseconds(20))
    }
  }

  private func name(_ number: Int) throws(Failure) {
    try git(clone(number), "config", "user.name", "topic-stress")
    try git(clone(number), "config", "user.email", "topic-stress@localhost")
  }

  /// The entries that the ledger has reserved; nil if the repository is gone.
  func reservedEntries() throws(Failure) -> Set<Bytes>? {
    let repository = scope == .worktrees ? clone(1) : base.appending(Self.server)
    guard repository.isReachable else { return nil }
    // Without any reservation, there is no ledger.
    let references = try git(repository, "for-each-ref", Self.ledger)
    if references.isEmpty { return [] }
    let log = try git(repository, "log", "--format=%B", Self.ledger)
    let key = Bytes("Entry: ")
    return Set(
      log.split(separator: .newline).filter { $0.starts(with: key) }
        .map { Bytes($0.dropFirst(key.count)) })
  }

  @discardableResult
  private func git(_ directory: Path, _ words: String...) throws(Failure) -> Bytes {
    try run(directory, words.map { Bytes($0) })
  }

  @discardableResult
  private func run(_ directory: Path, _ words: [Bytes]) throws(Failure) -> Bytes {
    let all = [Bytes("git"), Bytes("-C"), directory.bytes] + words
    let outcome: Subprocess.Outcome
    do throws(Subprocess.Failure) {
      outcome = try Subprocess(all).run(until: Instant.now + .seconds(60))
    } catch {
      switch error {
      case .system(let error): throw Failure(error, otherwise: .unavailable)
      case .deadline: throw Failure(.temporary, "git did not answer in 60 s")
      case .interrupted: throw Failure(.temporary, nil)
      }
    }
    guard outcome.end == .exited(0) else {
      throw Failure(
        .unavailable,
        "git \(String(decoding: words.first ?? [], as: UTF8.self)) failed in"
          + " \(directory.bytes.quotedForMessage): "
          + String(decoding: outcome.error, as: UTF8.self))
    }
    return outcome.output
  }
}
