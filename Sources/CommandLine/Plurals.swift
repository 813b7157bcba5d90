extension Int {
  /// As an ordinal number: `1st`, `2nd`, `3rd`, `11th`.
  public var ordinal: String {
    switch (magnitude % 10, magnitude % 100) {
    case (_, 11...13): "\(self)th"
    case (1, _): "\(self)st"
    case (2, _): "\(self)nd"
    case (3, _): "\(self)rd"
    default: "\(self)th"
    }
  }
}

/// How many there are: `1 line`, `2 lines`.
///
/// - Parameter plural: For nouns that do not take an s.
public func counted(_ count: Int, _ noun: String, _ plural: String? = nil) -> String {
  "\(count) \(count == 1 ? noun : plural ?? noun + "s")"
}
