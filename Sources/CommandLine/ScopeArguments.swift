import Git
import POSIX
import TopicAllocation
import TopicLedger

extension Tool {
  /// Prints a warning about a ledger on standard error.
  public func note(_ warning: LedgerWarning) {
    switch warning {
    case .rewound(let remote, let reference):
      note(
        "warning: \(reference) was rewound or replaced on '\(remote)';"
          + " new numbers are higher than any that this repository has seen of it")
    case .deleted(let remote, let reference):
      note(
        "warning: \(reference) was deleted on '\(remote)';"
          + " new numbers are higher than any that this repository has seen of it")
    }
  }
}

extension Scope {
  /// The variable that sets the scope.
  private static let variable = "TOPIC_ALLOC_SCOPE"

  /// The scope for `root`: that of the option `--scope`, or else of the variable `TOPIC_ALLOC_SCOPE`, or
  /// else of git's configuration.
  ///
  /// - Parameter needsGit: Whether the work needs git anyway; then the failure does not suggest
  ///   `--scope root`.
  public static func inForce(
    _ arguments: Arguments, for root: Root, needsGit: Bool = false
  ) throws(Failure) -> Scope {
    if let text = arguments.value(of: "scope") {
      return try Scope(text, from: "--scope", .usage)
    }
    if let text = Environment.variable(variable) {
      return try Scope(text, from: "$\(variable)", .usage)
    }
    let value: Bytes?
    do throws(GitError) {
      let deadline = Instant.now + .seconds(10)
      value = try ScopeConfiguration.value(for: root, until: deadline)
    } catch {
      throw Failure(error, offersRoot: !needsGit)
    }
    guard let value else { return .root }
    return try Scope(value, from: "git config \(ScopeConfiguration.key)", .data)
  }

  private init(_ text: Bytes, from source: String, _ code: ExitCode) throws(Failure) {
    guard let scope = Scope(text) else {
      throw Failure(
        code, "\(source): unknown scope \(text.quotedForMessage)",
        advice: "it is one of: " + Scope.spellings.joined(separator: ", "))
    }
    self = scope
  }
}
