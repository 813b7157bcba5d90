import Git
import POSIX
import TopicAllocation
import TopicLedger

extension Tool {
  /// Says on standard error what somebody should know about a ledger.
  public func note(_ warning: LedgerWarning) {
    switch warning {
    case .rewound(let remote, let reference):
      note(
        "warning: \(reference) was rewound or replaced on '\(remote)';"
          + " numbers go on above all that this repository has seen of it")
    case .deleted(let remote, let reference):
      note(
        "warning: \(reference) was deleted on '\(remote)';"
          + " numbers go on above all that this repository has seen of it")
    }
  }
}

extension Scope {
  /// The variable that sets the scope.
  private static let variable = "TOPIC_ALLOC_SCOPE"

  /// The scope that is in force for `root`: that of the option `--scope`, else of the variable
  /// `TOPIC_ALLOC_SCOPE`, else of the configuration of git. When that cannot be known, the failure offers
  /// `--scope root` unless the work needs git all the same.
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
      let deadline = Instant.now.advanced(byNanoseconds: 10_000_000_000)
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
