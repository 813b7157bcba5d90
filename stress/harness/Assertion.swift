/// What must hold for a history and the root that it leaves: the unique-ids and counter checks of
/// Jepsen, with the file system as the state.
enum Assertion: String, CaseIterable {
  case unique, contiguous, exists, accounted, order, exclusion, unlocked, finished, answered,
    reserved, speed

  /// What it asserts.
  var title: String {
    switch self {
    case .unique: "no number twice"
    case .contiguous: "no gap"
    case .exists: "what was acknowledged exists"
    case .accounted: "what exists was acknowledged, or its process was killed"
    case .order: "a call that began after another ended has the higher number"
    case .exclusion: "no two held the lock at once"
    case .unlocked: "nothing is left locked"
    case .finished: "no process hangs, crashes or stays behind"
    case .answered: "every call answers with a number"
    case .reserved: "what was acknowledged is in the ledger"
    case .speed: "not slower than the last runs"
    }
  }
}

extension Assertion {
  /// Whether it applies to this scope. With several roots, there are several locks, and a crash may
  /// leave a gap.
  func isJudged(in scope: SharedScope?) -> Bool {
    switch self {
    case .contiguous, .exclusion: scope == nil
    case .reserved: scope != nil
    default: true
    }
  }
}

/// A violated assertion, and the calls that show it.
struct Violation {
  let assertion: Assertion
  /// What is wrong, such as `number 12 was given to 2 calls`.
  let message: String
  let calls: [Call]

  init(_ assertion: Assertion, _ message: String, _ calls: [Call] = []) {
    self.assertion = assertion
    self.message = message
    self.calls = calls
  }
}
