import CommandLine

extension Option {
  /// How long to wait for processes that hold a lock.
  static let lockTimeout = Option(
    "timeout", "w", .text("SECS"),
    help: "Give up if other processes hold the lock for SECS seconds (default 30).")
  /// How a result is printed.
  static let reportFormat = Option(
    "format", "f", .choice("FORMAT", ReportFormat.self), help: "`text` (default) or `json`.")
}
