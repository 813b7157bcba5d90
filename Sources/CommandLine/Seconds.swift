extension UInt64 {
  /// Nanoseconds in seconds, to the millisecond.
  public var seconds: Double { Double(self / 1_000_000) / 1_000 }
}
