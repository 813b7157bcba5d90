/// What a check does about a violation.
enum Enforcement: String, CaseIterable {
  case strict, warn, off
}
