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
//
// RUN/cost.state.json holds the sums of the lines up to an offset, so that readers need only the
// lines after it. It only saves time: it may be missing or removed, and nothing fails because of it.
//
//   writing     A reader that read at least 64 KiB of new lines writes it, under flock(2) on the
//               ledger, unless another process holds that lock or RUN cannot be written. Those who
//               add entries take no lock, and those who read the state take none either.
//   replacing   The file is replaced as a whole (AtomicFile), without fsync(2). A crash at any call
//               leaves the old state or the new one, and perhaps a temporary file, which the next
//               writer of the state removes. A power failure may leave an unreadable file.
//   believing   The state counts only if the ledger has the same device and inode, is not shorter
//               than the offset, has a newline before it, and has the same first and last 4 KiB up
//               to it (ReadPosition). If the ledger has the size that the writer saw, its ctime
//               must be the same, too. The sums by role and by model must be equal. The state must
//               belong to the user or to the owner of the ledger, and only those who may write the
//               ledger may write it (isTrusted). Otherwise all lines are read.
//
// If something else than a regular file is in its place, a message says so, and all lines are read.
//
// So edited, truncated, replaced and copied ledgers are read in full. One thing is not noticed: an
// edit in place that keeps the length, lies further than 4 KiB from both ends, and is followed by
// an append before the next reading. Remove the state after such an edit.

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
  ///
  /// - Parameter refuse: Called if something else than a regular file is in the place of the stored
  ///   sums, which then do not count. The error has ``SystemError/found``.
  public func total(refuse: (SystemError) -> Void = { _ in }) throws(SystemError) -> CostTotal {
    let file: Descriptor
    do throws(SystemError) { file = try Descriptor.maintained(path, .readNoLink) } catch {
      if error.errno == .notFound { return CostTotal() }
      throw error
    }
    let status = try file.status()
    var state = CostState(of: file, status, at: path, refuse) ?? CostState(status)
    let start = state.position.offset
    let rest = try state.position.readOn(in: file, into: &state.total)
    if state.position.offset - start >= CostState.interval { state.save(file, at: path) }
    var total = state.total
    if rest.isTooLong { total.addUnreadable(1) }
    total.add(line: rest.text[...])
    return total
  }
}
