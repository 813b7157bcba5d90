import POSIX
import TopicAllocation

/// The names of styles on the command line.
public enum StyleName: String, CaseIterable {
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
  public static let namingOptions = [
    Option("style", takesValue: true), Option("width", takesValue: true),
    Option("separator", takesValue: true), Option("suffix", takesValue: true),
  ]
  /// The options that choose a style and change it.
  public static let options = namingOptions + [Option("start", takesValue: true)]

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
