import JSON
import POSIX
import Runs

/// The sums of a ledger up to an offset, as RUN/cost.state.json keeps them. CostLedger.swift has the
/// protocol.
struct CostState {
  var total = CostTotal()
  var position: ReadPosition
  /// The size and the ctime of the ledger, as `size seconds nanoseconds`, before it was read.
  private let seen: String

  /// How many bytes of new lines make it worth saving.
  static let interval: UInt64 = 1 << 16
  private static let name = Bytes("cost.state.json")
  private static let version = 1
  /// The range of a count. The sum of those of all names cannot overflow.
  private static let counts = 0...1 << 52

  /// The beginning of a ledger.
  init(_ ledger: FileStatus) {
    position = ReadPosition(ledger)
    seen = Self.seen(ledger)
  }

  private static func seen(_ ledger: FileStatus) -> String {
    "\(ledger.size) \(ledger.changed.seconds) \(ledger.changed.nanoseconds)"
  }

  // MARK: Writing

  /// Saves it for the ledger `file` at `path`, if that is possible.
  mutating func save(_ file: borrowing Descriptor, at path: Path) {
    do throws(SystemError) {
      // The total would be an error anyway.
      guard total.all.cost != nil, try file.tryLock() else { return }
      try position.seal(in: file)
      let directory = try Descriptor(opening: path.parent, .directory)
      try AtomicFile.removeLeftovers(of: [Self.name], in: directory)
      try AtomicFile.replace(
        Self.name, in: directory, with: text, copiedFrom: file.status(), isDurable: false)
    } catch {
      // The next reader reads more; nothing is lost.
    }
  }

  private var text: Bytes {
    var json = JSONWriter(.compact)
    json.object { json in
      json.member("version", Self.version)
      position.write(to: &json)
      json.member("seen", seen)
      json.member("unreadable", total.unreadable)
      for (key, sums) in [("roles", total.roles), ("models", total.models)] {
        json.objects(key, sums.list) { json, element in
          json.member("name", element.name)
          json.member("entries", element.sum.entries)
          json.member("unpriced", element.sum.unpriced)
          json.member("input_tokens", element.sum.inputTokens)
          json.member("output_tokens", element.sum.outputTokens)
          json.member("usd", "\(element.sum.cost ?? .zero)")
        }
      }
    }
    json.endLine()
    return json.text
  }

  // MARK: Reading

  /// The state that is saved beside the ledger `file` at `path`; nil unless it can be trusted and
  /// describes the beginning of this ledger.
  init?(
    of file: borrowing Descriptor, _ ledger: FileStatus, at path: Path,
    _ refuse: (SystemError) -> Void
  ) {
    let saved: Descriptor
    do throws(SystemError) {
      saved = try Descriptor.maintained(path.parent.appending(Self.name), .readNoLink)
    } catch {
      if error.found != nil { refuse(error) }
      return nil
    }
    guard
      let status = try? saved.status(), Self.isTrusted(status, for: ledger),
      let text = try? saved.readToEnd(atMost: Path.longestDocument),
      let json = try? JSONValue(parsing: text), json["version"]?.integer == Self.version,
      let position = ReadPosition(json), position.isIn(ledger), let seen = json["seen"]?.string,
      seen == Self.seen(ledger) || !seen.hasPrefix("\(ledger.size) "),
      (try? position.isUnchanged(in: file)) == true,
      let unreadable = json["unreadable"]?.integer(in: Self.counts),
      let (roles, all) = Self.sums(json["roles"]), let (models, same) = Self.sums(json["models"]),
      all == same, all.cost != nil
    else { return nil }
    self.position = position
    self.seen = Self.seen(ledger)
    (total.roles, total.models, total.all, total.unreadable) = (roles, models, all, unreadable)
  }

  /// Whether nobody could have written it who could not have written the ledger.
  private static func isTrusted(_ state: FileStatus, for ledger: FileStatus) -> Bool {
    guard state.owner == ledger.owner || state.owner == System.user else { return false }
    let widened = state.permissions & ~ledger.permissions
    return widened & 0o022 == 0 && (state.permissions & 0o020 == 0 || state.group == ledger.group)
  }

  /// The sums by name, and the sum of all of them; nil if they are damaged.
  private static func sums(_ json: JSONValue?) -> (CostSums, CostTotal.Sum)? {
    guard let elements = json?.elements, elements.count <= CostTotal.mostNames + 1 else {
      return nil
    }
    var sums = CostSums()
    var all = CostTotal.Sum()
    for element in elements {
      guard let name = element["name"]?.string,
        let entries = element["entries"]?.integer(in: counts),
        let unpriced = element["unpriced"]?.integer(in: 0...entries),
        let input = element["input_tokens"]?.integer(in: counts),
        let output = element["output_tokens"]?.integer(in: counts),
        let cost = element["usd"]?.string.flatMap({ Money($0) })
      else { return nil }
      let sum = CostTotal.Sum(
        entries: entries, unpriced: unpriced, inputTokens: input, outputTokens: output, cost: cost)
      sums.add(sum, to: name)
      all.add(sum)
    }
    return sums.list.count == elements.count ? (sums, all) : nil
  }
}
