import POSIX

/// The arguments of a command, parsed by the rules of getopt_long(3). Options may stand before
/// or after operands, up to `--`. `--name=value` and `-nvalue` equal two words. If an option is
/// given twice, the last one counts (``value(of:)``). Letters can be joined. `-` is an operand.
public struct Arguments {
  /// The operands, in order.
  public private(set) var operands: [Bytes] = []
  /// Whether `--` has ended the options.
  private(set) var isEnded = false
  /// The names of the options that are given, and their values, in order. An array of pairs would
  /// need a type of its own from the runtime, at every start.
  private var givenNames: [String] = []
  private var givenValues: [Bytes] = []

  /// Parses `words`. Builds the list of options only if some word can be one.
  ///
  /// - Parameter explain: Returns the failure for an option that is none of `options`, spelled like
  ///   `--worker` or `-w`; nil for the usual one.
  public init(
    _ words: [Bytes], accepting options: @autoclosure () -> [Option],
    unknown explain: (String) -> Failure? = { _ in nil }
  ) throws(Failure) {
    var rest = words[...]
    let dash = UInt8(ascii: "-")
    while let word = rest.popFirst() {
      if word == [dash, dash] {
        operands += rest
        isEnded = true
        return
      } else if word.starts(with: [dash, dash]) {
        try takeLong(word.dropFirst(2), options(), &rest, explain)
      } else if word.first == dash, word.count > 1 {
        try takeLetters(word.dropFirst(), options(), &rest, explain)
      } else {
        operands.append(word)
      }
    }
  }

  /// Whether the option is given.
  public func has(_ name: String) -> Bool { value(of: name) != nil }

  /// The value of the option; nil when it is not given.
  public func value(of name: String) -> Bytes? {
    givenNames.lastIndex(of: name).map { givenValues[$0] }
  }

  /// All values of an option that may be given several times, in order; of one that takes several
  /// values, those of the first time, then those of the second, and so on.
  public func values(of name: String) -> [Bytes] {
    givenNames.indices.filter { givenNames[$0] == name }.map { givenValues[$0] }
  }

  private mutating func append(_ name: String, _ value: Bytes) {
    givenNames.append(name)
    givenValues.append(value)
  }

  private mutating func takeLong(
    _ word: ArraySlice<UInt8>, _ options: [Option], _ rest: inout ArraySlice<Bytes>,
    _ explain: (String) -> Failure?
  ) throws(Failure) {
    let end = word.firstIndex(of: UInt8(ascii: "="))
    let name = String(decoding: word[..<(end ?? word.endIndex)], as: UTF8.self)
    let value = end.map { Bytes(word[($0 + 1)...]) }
    guard let option = options.first(where: { $0.name == name }) else {
      throw explain("--\(name)")
        ?? .unknown(
          "option", Bytes("--") + word[..<(end ?? word.endIndex)], options.map { "--\($0.name)" })
    }
    if option.valueCount > 0 {
      if let value { append(name, value) }
      for _ in (value == nil ? 0 : 1)..<option.valueCount {
        append(name, try nextWord(for: option, as: "--\(name)", &rest))
      }
    } else if value != nil {
      throw .usage("option '--\(name)' takes no value")
    } else {
      append(name, [])
    }
  }

  private mutating func takeLetters(
    _ word: ArraySlice<UInt8>, _ options: [Option], _ rest: inout ArraySlice<Bytes>,
    _ explain: (String) -> Failure?
  ) throws(Failure) {
    var letters = word
    while let letter = letters.popFirst() {
      guard let option = options.first(where: { $0.letter == letter }) else {
        throw explain("-\(UnicodeScalar(letter))")
          ?? .usage(
            "unknown option \((Bytes("-") + [letter]).quotedForMessage)",
            advice: "put '--' before a NAME that begins with '-'")
      }
      if option.valueCount > 0 {
        let spelling = "-\(UnicodeScalar(letter))"
        let value =
          try letters.isEmpty ? nextWord(for: option, as: spelling, &rest) : Bytes(letters)
        append(option.name, value)
        return
      }
      append(option.name, [])
    }
  }

  private func nextWord(
    for option: Option, as spelling: String, _ rest: inout ArraySlice<Bytes>
  ) throws(Failure) -> Bytes {
    guard let word = rest.popFirst() else {
      let values = option.valueCount == 1 ? "a value" : "\(option.valueCount) values"
      throw .usage("option '\(spelling)' needs \(values)")
    }
    return word
  }
}

extension Arguments {
  /// The value of an option as text for JSON; nil when it is not given.
  public func text(_ name: String) throws(Failure) -> String? {
    guard let value = value(of: name) else { return nil }
    return try Self.text(value, of: name)
  }

  /// A value of the option as text for JSON, which must be UTF-8.
  public static func text(_ value: Bytes, of name: String) throws(Failure) -> String {
    guard let text = String(validating: value, as: UTF8.self) else {
      throw Failure(.data, "--\(name) \(value.quotedForMessage) is not UTF-8, which JSON needs")
    }
    return text
  }

  /// The value of an option as one of the cases of `Choice`; nil when it is not given.
  public func choice<Choice: RawRepresentable & CaseIterable>(
    _ name: String, of _: Choice.Type
  ) throws(Failure) -> Choice? where Choice.RawValue == String {
    guard let value = value(of: name) else { return nil }
    guard let choice = Choice(rawValue: String(decoding: value, as: UTF8.self)) else {
      throw .unknown(name, value, Choice.allCases.map(\.rawValue))
    }
    return choice
  }

  /// The value of an option as a decimal number in `range`; nil when it is not given.
  public func number(
    _ name: String, in range: ClosedRange<Int>
  ) throws(Failure) -> Int? {
    guard let value = value(of: name) else { return nil }
    let number = decimal(value[...])
    guard let number, range.contains(number) else {
      throw Failure(
        number == nil ? .usage : .data,
        "--\(name) takes a number from \(range.lowerBound) to \(range.upperBound),"
          + " not \(value.quotedForMessage)")
    }
    return number
  }

  /// The value of the option as a number of bytes: digits, then optionally `K`, `M` or `G`, with or
  /// without `iB`, for powers of 1,024. Nil when it is not given.
  public func size(_ name: String) throws(Failure) -> UInt64? {
    guard let value = value(of: name) else { return nil }
    let digits = value.prefix { $0 &- UInt8(ascii: "0") <= 9 }
    let units = [Bytes(), Bytes("K"), Bytes("M"), Bytes("G")]
    var unit = Bytes(value.dropFirst(digits.count))
    if unit.count > 1, unit.suffix(2) == Bytes("iB")[...] { unit.removeLast(2) }
    guard let power = units.firstIndex(of: unit), (1...9).contains(digits.count),
      let number = UInt64(String(decoding: digits, as: UTF8.self)), number > 0
    else {
      throw .usage(
        "--\(name) takes a size such as 4096, 64KiB or 1MiB, not \(value.quotedForMessage)")
    }
    return number << UInt64(10 * power)
  }

  /// The value of an option that is a time in seconds; nil when it is not given.
  public func seconds(_ name: String) throws(Failure) -> Duration? {
    guard let value = value(of: name) else { return nil }
    let parts = value.split(
      separator: UInt8(ascii: "."), maxSplits: 1, omittingEmptySubsequences: false)
    let fraction = parts.count == 2 ? parts[1] : []
    let isFraction = fraction.allSatisfy { $0 &- UInt8(ascii: "0") <= 9 }
    let padded =
      fraction.prefix(9) + repeatElement(UInt8(ascii: "0"), count: 9 - min(fraction.count, 9))
    guard value.count > parts.count - 1, isFraction,
      let whole = decimal(parts[0].isEmpty ? [UInt8(ascii: "0")] : parts[0]),
      let nanoseconds = decimal(padded[...])
    else {
      throw .usage(
        "--\(name) takes seconds, such as 30 or 0.5, not \(value.quotedForMessage)")
    }
    guard whole <= Self.mostSeconds else {
      throw Failure(.data, "--\(name) takes at most \(Self.mostSeconds) seconds")
    }
    return .seconds(whole) + .nanoseconds(nanoseconds)
  }

  /// The deadline for waiting: as many seconds from now as the option says, by default
  /// 30.
  public func deadline(_ name: String = "timeout") throws(Failure) -> Instant {
    try Instant.now + (seconds(name) ?? .seconds(30))
  }

  /// Thirty years, about.
  private static let mostSeconds = 1_000_000_000

  /// Digits and nothing else, up to 18 of them after the zeros.
  private func decimal(_ text: ArraySlice<UInt8>) -> Int? {
    let isNumber = !text.isEmpty && text.allSatisfy { $0 &- UInt8(ascii: "0") <= 9 }
    let digits = text.drop { $0 == UInt8(ascii: "0") }
    guard isNumber, digits.count <= 18 else { return nil }
    return digits.reduce(0) { $0 * 10 + Int($1 - UInt8(ascii: "0")) }
  }
}
