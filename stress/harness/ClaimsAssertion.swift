/// What must hold for a history of claims.
enum ClaimsAssertion: String, CaseIterable {
  case once, order, holder, lease, answered, complete

  /// What it asserts.
  var title: String {
    switch self {
    case .once: "each task is done once"
    case .order: "no task is claimed before its dependencies are done"
    case .holder: "no two workers have a task at once"
    case .lease: "no lease is taken over before it expires"
    case .answered: "every call answers as it should, and none hangs"
    case .complete: "at the end, all tasks are done and nothing is locked"
    }
  }
}

/// A violated assertion, and the calls that show it.
struct ClaimsViolation {
  let assertion: ClaimsAssertion
  let message: String
  let calls: [ClaimsCall]

  init(_ assertion: ClaimsAssertion, _ message: String, _ calls: [ClaimsCall] = []) {
    (self.assertion, self.message, self.calls) = (assertion, message, calls)
  }
}
