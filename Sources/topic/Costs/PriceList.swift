import CommandLine
import Costs
import JSON
import POSIX

/// The prices in force, and where they come from.
struct PriceList {
  let value: JSONValue
  let prices: Prices
  /// What messages call it: `the shipped prices of 2025-11-24`.
  let name: String
  /// Whether it is the shipped list, which nobody has checked yet.
  let isShipped: Bool

  /// The advice that follows ``name``.
  var warning: String { isShipped ? "; they go out of date: check them" : "" }

  init(_ arguments: Arguments) throws(Failure) {
    let file = Self.file(arguments)
    var source = "the shipped prices"
    if let file {
      let input = try InputText(reading: file)
      value = try input.json()
      source = "the prices in \(input.name)"
    } else {
      value = Prices.shippedList
    }
    do throws(Prices.Mistake) { prices = try Prices(value) } catch {
      throw Failure(
        .data, "\(source) are not a list: \(error.message)",
        advice: "run 'TOPIC_PRICES= topic cost prices' to see a valid list")
    }
    name = source + " of " + Bytes(prices.date).printable
    isShipped = file == nil
  }

  private static func file(_ arguments: Arguments) -> Bytes? {
    arguments.value(of: "prices") ?? Environment.variable("TOPIC_PRICES")
  }

  /// The models that have a price, for completions: none if the list cannot be read.
  static func models(_ arguments: Arguments) -> [String] {
    // Reading a pipe or standard input would block the shell.
    if let file = file(arguments), (try? FileStatus.of(Path(file)))?.kind != .file { return [] }
    return (try? PriceList(arguments))?.value["models"]?.members?.map(\.key) ?? []
  }
}
