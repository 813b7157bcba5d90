/// What somebody should know about a ledger, though numbers go on.
public enum LedgerWarning: Sendable {
  /// The ledger on the remote no longer has what it had: it was rewound or replaced there.
  case rewound(remote: String, reference: String)
  /// The ledger on the remote was deleted there.
  case deleted(remote: String, reference: String)
}
