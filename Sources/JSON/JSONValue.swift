/// A JSON text that has been read: RFC 8259.
public indirect enum JSONValue: Hashable, Sendable {
  /// A member of an object.
  public struct Member: Hashable, Sendable {
    /// Its name.
    public let key: String
    /// What it holds.
    public let value: JSONValue

    /// The member of this name.
    public init(_ key: String, _ value: JSONValue) {
      self.key = key
      self.value = value
    }
  }

  /// `null`.
  case null
  /// `true` or `false`.
  case bool(Bool)
  /// A number as it is spelled, so that no digit is lost.
  case number(String)
  /// A string.
  case string(String)
  /// An array.
  case array([JSONValue])
  /// An object, its members in the order of the text. Of a key that is there twice, the last counts.
  case object([Member])

  /// The member of this name; nil when this is no object or has none.
  public subscript(key: String) -> JSONValue? {
    guard case .object(let members) = self else { return nil }
    return members.last { $0.key == key }?.value
  }

  /// The string that this is.
  public var string: String? {
    if case .string(let text) = self { text } else { nil }
  }

  /// The number that this is; nil also when it is beyond what a double can hold.
  public var double: Double? {
    guard case .number(let digits) = self, let value = Double(digits), value.isFinite else {
      return nil
    }
    return value
  }

  /// The whole number that this is, spelled without fraction and exponent.
  public var integer: Int? {
    if case .number(let digits) = self { Int(digits) } else { nil }
  }

  /// The whole number that this is, when it is in `range`.
  public func integer(in range: ClosedRange<Int>) -> Int? {
    integer.flatMap { range.contains($0) ? $0 : nil }
  }

  /// The truth value that this is.
  public var bool: Bool? {
    if case .bool(let truth) = self { truth } else { nil }
  }

  /// The elements of the array that this is.
  public var elements: [JSONValue]? {
    if case .array(let elements) = self { elements } else { nil }
  }

  /// The members of the object that this is.
  public var members: [Member]? {
    if case .object(let members) = self { members } else { nil }
  }
}
