import POSIX
import TopicAllocation

/// The names of styles on the command line.
public enum StyleName: String, CaseIterable, Sendable {
  case topic
  case specKit = "spec-kit"
  case adr

  /// The style of this name.
  public var style: Style {
    switch self {
    case .topic: .topic
    case .specKit: .specKit
    case .adr: .adr
    }
  }
}

extension Style {
  /// The options that choose how entries are named.
  public static var namingOptions: [Option] {
    [
      Option(
        "style", .choice("STYLE", StyleName.self),
        help: """
          How entries are named: `topic` (default: `042_oauth_20`, a directory), `spec-kit`
          (`042-oauth-2-0`, a directory) or `adr` (`0042-oauth-2-0.md`, an empty file). The other
          options of this group each change one thing of the style.
          """),
      Option(
        "width", .choice("N", Style.widthRange.map(String.init)),
        help: "Pad numbers to N digits, 1 to 7. Entries with fewer digits do not count."),
      Option(
        "separator", .choice("C", ["_", "-", "+", "."]),
        help: """
          Put C between number and name: one of `_ - + . , = @ ~ # % :`. Entries with another
          separator do not count.
          """),
      Option(
        "suffix", .text("EXT"),
        help: """
          Entries are files whose names end in EXT, not directories; new ones are empty. The dot in
          front may be left out. With an empty EXT, a style that makes files makes directories.
          """),
    ]
  }
  /// The first number of an empty root.
  public static var startOption: Option {
    Option(
      "start", .text("N"), help: "Give an empty ROOT the first number N, 0 to 9999999 (default 1).")
  }

  /// The style that the options of a command ask for.
  public init(_ arguments: Arguments) throws(Failure) {
    self = try arguments.choice("style", of: StyleName.self)?.style ?? .topic
    if let width = try arguments.number("width", in: Style.widthRange) { self.width = width }
    if let start = try arguments.number("start", in: 0...Style.highestNumber) { self.start = start }
    if let separator = arguments.value(of: "separator") {
      guard separator.count == 1, Self.isSeparator(separator[0]) else {
        throw .usage(
          "--separator takes one character such as _ - + or ., not \(separator.quotedForMessage)")
      }
      self.separator = separator[0]
    }
    if let suffix = arguments.value(of: "suffix") {
      guard suffix.count <= 32, suffix.allSatisfy(Self.isSuffixCharacter) else {
        throw .usage(
          "--suffix takes an extension such as .md: up to 32 letters, digits, _ - and .,"
            + " not \(suffix.quotedForMessage)")
      }
      let hasDot = suffix.isEmpty || suffix[0] == UInt8(ascii: ".")
      self.suffix = hasDot ? suffix : Bytes(".") + suffix
    }
  }

  private static func isSeparator(_ byte: UInt8) -> Bool {
    Bytes("_-+.,=@~#%:").contains(byte)
  }

  private static func isSuffixCharacter(_ byte: UInt8) -> Bool {
    switch byte {
    case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
      UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "_"), UInt8(ascii: "-"),
      UInt8(ascii: "."):
      true
    default: false
    }
  }
}
