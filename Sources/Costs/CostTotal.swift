import JSON
import POSIX
import Runs

/// The sums of the entries of a ledger.
public struct CostTotal: Sendable {
  /// Some entries, summed up.
  public struct Sum: Hashable, Sendable {
    /// How many entries there are.
    public internal(set) var entries = 0
    /// How many of them have no price.
    public internal(set) var unpriced = 0
    /// How many tokens the models read.
    public internal(set) var inputTokens = 0
    /// How many tokens the models wrote.
    public internal(set) var outputTokens = 0
    /// The cost of those with a price; nil if it is too large for ``Money``.
    public internal(set) var cost: Money? = .zero

    mutating func add(_ other: Sum) {
      entries += other.entries
      unpriced += other.unpriced
      inputTokens += other.inputTokens
      outputTokens += other.outputTokens
      if let cost, let more = other.cost { self.cost = cost.adding(more) } else { cost = nil }
    }
  }

  /// The largest number of roles, and of models, with a sum of their own.
  public static let mostNames = 1_000
  /// The longest name, in bytes, with a sum of its own.
  public static let longestName = 4_096
  /// The name under which all others are summed up.
  public static let others = "…"

  /// The sum of all entries.
  public internal(set) var all = Sum()
  /// The sums by role, at most ``mostNames`` and ``others``.
  public internal(set) var roles = CostSums()
  /// The sums by model, at most ``mostNames`` and ``others``.
  public internal(set) var models = CostSums()
  /// How many lines are not entries.
  public internal(set) var unreadable = 0

  /// The sums of no entries.
  public init() {}
}

/// Sums by name.
public struct CostSums: Sendable {
  /// The names and their sums, in order of appearance.
  public private(set) var list: [(name: String, sum: CostTotal.Sum)] = []
  private var indices: [String: Int] = [:]
  private var spellings: [Bytes] = []
  /// The index that a name of this hash had last.
  private var recent = [Int](repeating: 0, count: 256)

  /// Whether some names are summed up as ``CostTotal/others``.
  public var isBounded: Bool { indices[CostTotal.others] != nil }

  /// The index of the sum for `name`, a new one if necessary.
  mutating func index(of name: String) -> Int {
    if let index = indices[name] { return index }
    let hasOwn = list.count < CostTotal.mostNames && name.utf8.count <= CostTotal.longestName
    let name = hasOwn ? name : CostTotal.others
    if let index = indices[name] { return index }
    indices[name] = list.count
    spellings.append(Bytes(name))
    list.append((name, CostTotal.Sum()))
    return list.count - 1
  }

  mutating func add(_ sum: CostTotal.Sum, to name: String) { list[index(of: name)].sum.add(sum) }

  /// Adds to a name in ASCII; a known one takes no memory.
  mutating func add(_ sum: CostTotal.Sum, toASCII name: UnsafeBufferPointer<UInt8>) {
    let slot = Int(name.suffix(8).reduce(UInt8(truncatingIfNeeded: name.count)) { $0 &* 31 &+ $1 })
    var index = recent[slot]
    if index >= spellings.count || !spellings[index].elementsEqual(name) {
      index = self.index(of: String(decoding: name, as: UTF8.self))
      recent[slot] = index
    }
    list[index].sum.add(sum)
  }
}

extension CostTotal: LineReceiver {
  /// Adds a line; empty ones do not count.
  public mutating func add(line: ArraySlice<UInt8>) {
    if line.isEmpty { return }
    guard let entry = CostLedger.Entry(line) else { return addUnreadable(1) }
    let sum = Sum(
      entries: 1, unpriced: entry.cost == nil ? 1 : 0, inputTokens: entry.inputTokens,
      outputTokens: entry.outputTokens, cost: entry.cost ?? .zero)
    all.add(sum)
    roles.add(sum, to: entry.role)
    models.add(sum, to: entry.model)
  }

  /// Counts lines that are not entries.
  public mutating func addUnreadable(_ count: Int) { unreadable += count }

  /// Adds the entry at `start` and returns the start of the next line; nil if ``add(line:)`` has to
  /// read the line.
  ///
  /// Reads lines as `cost add` writes them, in one pass and without building values: flat objects of
  /// strings in ASCII without escapes and of integers.
  public mutating func addFlat(_ text: UnsafeBufferPointer<UInt8>, from start: Int) -> Int? {
    var at = start
    func take(_ character: Unicode.Scalar) -> Bool {
      while at < text.count, text[at] == 0x20 || text[at] == 0x09 || text[at] == 0x0D { at &+= 1 }
      guard at < text.count, text[at] == UInt8(ascii: character) else { return false }
      at &+= 1
      return true
    }
    func string() -> Range<Int>? {
      guard take("\"") else { return nil }
      at &-= 1
      return text.plainJSONString(at: &at)
    }
    var time: Range<Int>?
    var role: Range<Int>?
    var model: Range<Int>?
    var amount: Range<Int>?
    var input: Int?
    var output: Int?
    guard take("{") else { return nil }
    repeat {
      guard let key = string(), take(":") else { return nil }
      let value = string()
      let number = value == nil ? Self.integer(text, &at) : nil
      if value == nil, number == nil { return nil }
      // If a key is repeated, the last member counts.
      if Self.isText("at", text, key) {
        time = value
      } else if Self.isText("role", text, key) {
        role = value
      } else if Self.isText("model", text, key) {
        model = value
      } else if Self.isText("input_tokens", text, key) {
        input = number
      } else if Self.isText("output_tokens", text, key) {
        output = number
      } else if Self.isText("usd", text, key) {
        if value == nil { return nil }
        amount = value
      }
    } while take(",")
    guard take("}"), take("\n"), time != nil, let role, let model, let input, let output,
      CostLedger.tokens.contains(input), CostLedger.tokens.contains(output)
    else { return nil }
    var sum = Sum(entries: 1, unpriced: 1, inputTokens: input, outputTokens: output)
    if let amount {
      guard let cost = Money(UnsafeBufferPointer(rebasing: text[amount])) else { return nil }
      (sum.cost, sum.unpriced) = (cost, 0)
    }
    all.add(sum)
    roles.add(sum, toASCII: UnsafeBufferPointer(rebasing: text[role]))
    models.add(sum, toASCII: UnsafeBufferPointer(rebasing: text[model]))
    return at
  }

  @inline(__always)
  private static func isText(
    _ word: StaticString, _ text: UnsafeBufferPointer<UInt8>, _ range: Range<Int>
  ) -> Bool {
    guard range.count == word.utf8CodeUnitCount else { return false }
    for offset in 0..<range.count
    where text[range.lowerBound &+ offset] != word.utf8Start[offset] { return false }
    return true
  }

  /// An integer of at most 18 digits; nil for anything else.
  @inline(__always)
  private static func integer(_ text: UnsafeBufferPointer<UInt8>, _ at: inout Int) -> Int? {
    let begin = at
    var number = 0
    while at < text.count, case let digit = text[at] &- UInt8(ascii: "0"), digit <= 9 {
      if at &- begin == 18 { return nil }
      number = number &* 10 &+ Int(digit)
      at &+= 1
    }
    let hasLeadingZero = at &- begin > 1 && text[begin] == UInt8(ascii: "0")
    return at == begin || hasLeadingZero ? nil : number
  }
}
