import CommandLine
import Costs
import JSON
import POSIX

/// The printable sums of a ledger.
struct CostReport {
  private let total: CostTotal
  private let roles: [(name: String, sum: CostTotal.Sum)]
  private let models: [(name: String, sum: CostTotal.Sum)]

  init(_ total: CostTotal) throws(Failure) {
    if total.all.cost == nil { throw .costTooLarge }
    self.total = total
    roles = total.roles.list.sorted { $0.name < $1.name }
    models = total.models.list.sorted { $0.name < $1.name }
  }

  func print(_ format: ReportFormat) throws(Failure) {
    try printOut(format == .json ? json : Bytes(table))
  }

  // MARK: table

  private var table: String {
    var rows: [[String]] = []
    for (title, sums) in [("ROLE", roles), ("MODEL", models)] where !sums.isEmpty {
      rows.append([title, "CALLS", "INPUT", "OUTPUT", "USD", "UNPRICED"])
      rows += sums.map { row(Bytes($0.name).printable, $0.sum) }
      rows.append([])
    }
    rows.append(row("TOTAL", total.all))
    if total.all.unpriced == 0 { rows = rows.map { Array($0.prefix(5)) } }
    alignPoints(&rows)
    return alignedColumns(rows)
  }

  private func row(_ name: String, _ sum: CostTotal.Sum) -> [String] {
    [
      name, "\(sum.entries)", "\(sum.inputTokens)", "\(sum.outputTokens)",
      sum.unpriced == sum.entries && sum.entries > 0 ? "?" : "\(sum.cost ?? .zero)",
      sum.unpriced == 0 ? "" : "\(sum.unpriced)",
    ]
  }

  /// Pads the amounts with spaces, so that their points align.
  private func alignPoints(_ rows: inout [[String]]) {
    func digits(_ amount: String) -> Int {
      amount.firstIndex(of: ".").map { amount.distance(from: $0, to: amount.endIndex) } ?? 0
    }
    let most = rows.map { $0.count > 4 ? digits($0[4]) : 0 }.max() ?? 0
    for index in rows.indices where rows[index].count > 4 && rows[index][4] != "USD" {
      rows[index][4] += String(repeating: " ", count: most - digits(rows[index][4]))
    }
  }

  // MARK: JSON

  private var json: Bytes {
    var json = JSONWriter(.indented)
    json.object { json in
      members(total.all, &json)
      json.member("unreadable_lines", total.unreadable)
      for (key, name, sums) in [("by_role", "role", roles), ("by_model", "model", models)] {
        json.key(key)
        json.array { json in
          for sum in sums {
            json.object { json in
              json.member(name, sum.name)
              members(sum.sum, &json)
            }
          }
        }
      }
    }
    json.endLine()
    return json.text
  }

  private func members(_ sum: CostTotal.Sum, _ json: inout JSONWriter) {
    json.member("usd", "\(sum.cost ?? .zero)")
    json.member("entries", sum.entries)
    json.member("unpriced_entries", sum.unpriced)
    json.member("input_tokens", sum.inputTokens)
    json.member("output_tokens", sum.outputTokens)
  }
}
