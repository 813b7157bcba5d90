// The ledger of a run
//
// RUN/cost.jsonl has a line for each call of a model, with the cost in decimal digits by the prices
// of that time. Runs share nothing.
//
// Adding an entry appends the line with one write(2), without a lock (LineFile), and calls fsync(2)
// before it reports success. Readers take the lines that are there.
//
// A crash before the write leaves nothing. A crash during the write leaves an incomplete line: the
// next writer ends it, and readers count it as unreadable. A crash after the write leaves the whole
// line, reported or not.

import JSON
import POSIX
import Runs

/// The ledger of a run: what the calls of models cost.
public struct CostLedger: Sendable {
  /// One call of a model.
  public struct Entry: Hashable, Sendable {
    /// When the entry was added, as in RFC 3339.
    public let time: String
    /// Who called the model, such as `reviewer`.
    public let role: String
    /// The model.
    public let model: String
    /// How many tokens the model read.
    public let inputTokens: Int
    /// How many tokens the model wrote.
    public let outputTokens: Int
    /// The cost; nil if there was no price.
    public let cost: Money?

    /// An entry. The numbers of tokens must lie within ``CostLedger/tokens``.
    public init(
      at time: WallTime, role: String, model: String, inputTokens: Int, outputTokens: Int,
      cost: Money?
    ) {
      self.time = time.rfc3339
      (self.role, self.model) = (role, model)
      (self.inputTokens, self.outputTokens) = (inputTokens, outputTokens)
      self.cost = cost
    }

    private static let keys = ["at", "role", "model", "input_tokens", "output_tokens", "usd"]

    init?(_ line: ArraySlice<UInt8>) {
      guard let value = try? JSONValue(parsing: line, onlyMembers: Self.keys),
        let time = value["at"]?.string, let role = value["role"]?.string,
        let model = value["model"]?.string, let input = value["input_tokens"]?.integer,
        CostLedger.tokens.contains(input), let output = value["output_tokens"]?.integer,
        CostLedger.tokens.contains(output)
      else { return nil }
      (self.time, self.role, self.model) = (time, role, model)
      (inputTokens, outputTokens) = (input, output)
      let digits = value["usd"]?.string
      cost = digits.flatMap { Money($0) }
      if value["usd"] != nil, cost == nil { return nil }
    }

    /// The entry as the ledger stores it.
    public var json: JSONValue {
      .object(
        [
          JSONValue.Member("at", .string(time)), JSONValue.Member("role", .string(role)),
          JSONValue.Member("model", .string(model)),
          JSONValue.Member("input_tokens", .number("\(inputTokens)")),
          JSONValue.Member("output_tokens", .number("\(outputTokens)")),
        ] + (cost.map { [JSONValue.Member("usd", .string("\($0)"))] } ?? []))
    }
  }

  /// The range of the number of tokens in one call.
  public static let tokens = 0...1_000_000_000

  /// The path of the file.
  public let path: Path

  /// The ledger in the directory `run`.
  public init(_ run: Path) {
    path = run.appending("cost.jsonl")
  }

  /// Adds an entry, durably. The directory of the run must exist.
  ///
  /// - Returns: Whether it is the first entry.
  public func add(_ entry: Entry) throws(SystemError) -> Bool {
    let file = try LineFile(opening: path)
    let isFirst = try file.size() == 0
    var line = JSONWriter(.compact)
    line.value(entry.json)
    line.endLine()
    try file.append(line.text)
    try file.synchronize()
    return isFirst
  }

  /// The sums of all entries; zero if there is no file.
  public func total() throws(SystemError) -> CostTotal {
    var total = CostTotal()
    do throws(SystemError) {
      try LineFile(reading: path).forEachLine { line, _ in total.add(line.flatMap { Entry($0) }) }
    } catch {
      if error.errno != .notFound { throw error }
    }
    return total
  }
}

/// The sums of the entries of a ledger.
public struct CostTotal: Sendable {
  /// Some entries, summed up.
  public struct Sum: Sendable {
    /// How many entries there are.
    public fileprivate(set) var entries = 0
    /// How many of them have no price.
    public fileprivate(set) var unpriced = 0
    /// How many tokens the models read.
    public fileprivate(set) var inputTokens = 0
    /// How many tokens the models wrote.
    public fileprivate(set) var outputTokens = 0
    /// The cost of those with a price; nil if it is too large for ``Money``.
    public fileprivate(set) var cost: Money? = .zero

    fileprivate mutating func add(_ entry: CostLedger.Entry) {
      entries += 1
      if entry.cost == nil { unpriced += 1 }
      inputTokens += entry.inputTokens
      outputTokens += entry.outputTokens
      cost = cost?.adding(entry.cost ?? .zero)
    }
  }

  /// The largest number of roles, and of models, with a sum of their own.
  public static let mostNames = 1_000
  /// The longest name, in bytes, with a sum of its own.
  public static let longestName = 4_096
  /// The name under which all others are summed up.
  public static let others = "…"

  /// The sum of all entries.
  public private(set) var all = Sum()
  /// The sums by role, at most ``mostNames`` and ``others``.
  public private(set) var roles: [String: Sum] = [:]
  /// The sums by model, at most ``mostNames`` and ``others``.
  public private(set) var models: [String: Sum] = [:]
  /// How many lines are not entries.
  public private(set) var unreadable = 0

  /// Adds an entry; nil stands for a line that is not one.
  mutating func add(_ entry: CostLedger.Entry?) {
    guard let entry else {
      unreadable += 1
      return
    }
    all.add(entry)
    Self.add(entry, entry.role, to: &roles)
    Self.add(entry, entry.model, to: &models)
  }

  private static func add(
    _ entry: CostLedger.Entry, _ name: String, to sums: inout [String: Sum]
  ) {
    let isKnown = sums[name] != nil || (sums.count < mostNames && name.utf8.count <= longestName)
    sums[isKnown ? name : others, default: Sum()].add(entry)
  }
}
