/// A problem of a ledger that does not stop the work.
public enum LedgerWarning: Sendable {
  /// The ledger on the remote was rewound or replaced.
  case rewound(remote: String, reference: String)
  /// The ledger on the remote was deleted.
  case deleted(remote: String, reference: String)
}
