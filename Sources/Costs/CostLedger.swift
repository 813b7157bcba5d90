// The ledger of a run
//
// What is there: RUN/cost.jsonl, a line for each call of a model, with what it cost by the prices that
// held then, in decimal digits. Nothing is shared between runs.
//
// Who adds appends the line with one write(2), without a lock (LineFile), and puts it on the disk by
// fsync(2) before it says that it did. Who reads takes what is there.
//
// After a crash before the write nothing is there; within it a line without its end, which the next
// writer closes and readers count as unreadable; behind it the whole line, reported or not.

import JSON
import POSIX
import Runs

/// What the models of a run have cost.
public struct CostLedger: Sendable {
  /// One call of a model.
  public struct Entry: Hashable, Sendable {
    /// When it was added, as in RFC 3339.
    public let time: String
    /// Who called it, such as `reviewer`.
    public let role: String
    /// The model.
    public let model: String
    /// How many tokens it has read.
    public let inputTokens: Int
    /// How many tokens it has written.
    public let outputTokens: Int
    /// What it cost; nil when there was no price.
    public let cost: Money?

    /// The entry with these values; token counts within ``CostLedger/tokens``.
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

    /// As it stands in the ledger.
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

  /// How many tokens one call can have.
  public static let tokens = 0...1_000_000_000

  /// The file.
  public let path: Path

  /// The ledger of the run in this directory.
  public init(_ run: Path) {
    path = run.appending("cost.jsonl")
  }

  /// Adds an entry and has it on the disk. RUN must exist. Returns whether it is the first one.
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

  /// All that has been added; nothing when there is no file yet, or no RUN.
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

/// Entries of a ledger, summed up.
public struct CostTotal: Sendable {
  /// The sum of some entries.
  public struct Sum: Sendable {
    /// How many there are.
    public fileprivate(set) var entries = 0
    /// How many of them have no price.
    public fileprivate(set) var unpriced = 0
    /// How many tokens were read.
    public fileprivate(set) var inputTokens = 0
    /// How many tokens were written.
    public fileprivate(set) var outputTokens = 0
    /// What those with a price cost; nil when that is more than ``Money`` can hold.
    public fileprivate(set) var cost: Money? = .zero

    fileprivate mutating func add(_ entry: CostLedger.Entry) {
      entries += 1
      if entry.cost == nil { unpriced += 1 }
      inputTokens += entry.inputTokens
      outputTokens += entry.outputTokens
      cost = cost?.adding(entry.cost ?? .zero)
    }
  }

  /// How many roles, and how many models, are summed up separately.
  public static let mostNames = 1_000
  /// The longest name, in bytes, that is summed up separately.
  public static let longestName = 4_096
  /// The name of the sum of all others.
  public static let others = "…"

  /// All of them.
  public private(set) var all = Sum()
  /// Those of each role. There are ``mostNames`` of them; all others are one, ``others``.
  public private(set) var roles: [String: Sum] = [:]
  /// Those of each model, likewise.
  public private(set) var models: [String: Sum] = [:]
  /// How many lines are no entry.
  public private(set) var unreadable = 0

  /// Takes in an entry; nil is a line that is none.
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
