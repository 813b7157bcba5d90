/// What follows from a violation.
enum Enforcement: String, CaseIterable {
  case strict, warn, off
}
