/// How a command prints what it has found.
enum ReportFormat: String, CaseIterable {
  case text, json
}
