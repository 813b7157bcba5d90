import CommandLine
import JSON
import Metrics
import POSIX

/// A printable summary of metrics.
struct MetricsReport {
  private let summary: MetricsSummary
  private let path: Path
  private let files: Int
  private let cut: Int

  /// A report on the metrics at `path`.
  ///
  /// - Parameters:
  ///   - files: How many files were read.
  ///   - cut: How many of them end in an incomplete line.
  init(_ summary: MetricsSummary, of path: Path, files: Int, cut: Int) {
    (self.summary, self.path, self.files, self.cut) = (summary, path, files, cut)
  }

  private static let head =
    ["", "count", "mean", "min", "max"] + Histogram.shownPercentiles.map(\.0)

  /// The number of entries, and what is unusual about the files.
  private var headline: String {
    var text = totals(summary.all)
    if files > 1 { text += ", in \(files) files" }
    if summary.unreadable > 0 {
      text += ", \(summary.unreadable) line\(summary.unreadable == 1 ? "" : "s") unreadable"
    }
    if cut > 0 { text += ", \(cut) cut at the end" }
    return text
  }

  private var footnote: String? {
    summary.isBounded ? "Too many keys, groups or numbers: some are left out." : nil
  }

  private func totals(_ tally: MetricsTally) -> String {
    let entries = "\(tally.entries) entr\(tally.entries == 1 ? "y" : "ies")"
    return tally.successRate.map { "\(entries), \(percent($0)) succeeded" } ?? entries
  }

  private func title(_ value: Bytes) -> String {
    "\(summary.question.by ?? "") = \(value.isEmpty ? "none" : value.printable)"
  }

  private func percent(_ share: Double) -> String {
    let tenths = (share * 1_000).rounded() / 10
    return tenths == tenths.rounded() ? "\(Int(tenths)) %" : "\(tenths) %"
  }

  private func rows(_ tally: MetricsTally) -> [[String]] {
    summary.fields(of: tally).map { name, field in
      let numbers = [field.mean, field.lowest, field.highest] + field.shownPercentiles.map(\.value)
      return [Bytes(name).printable, "\(field.count)"] + numbers.map { $0.map(number) ?? "-" }
    }
  }

  /// The number with about four digits.
  private func number(_ value: Double) -> String {
    let size = abs(value)
    if value == value.rounded(), size < 1e15 { return "\(Int(value))" }
    if size >= 1e6 || size < 1e-3 { return "\(value)" }
    let scale: Double = size < 1 ? 100_000 : size < 10 ? 1_000 : size < 1_000 ? 10 : 1
    return "\((value * scale).rounded() / scale)"
  }

  // MARK: Formats

  /// Aligned columns.
  var table: String {
    var sections = [section(headline, rows(summary.all))]
    for group in summary.groups {
      sections.append(section(title(group.value) + ": " + totals(group.tally), rows(group.tally)))
    }
    if let footnote { sections.append(footnote + "\n") }
    return sections.joined(separator: "\n")
  }

  private func section(_ headline: String, _ rows: [[String]]) -> String {
    headline + "\n" + (rows.isEmpty ? "" : alignedColumns([Self.head] + rows))
  }

  /// A JSON object.
  var json: Bytes {
    var json = JSONWriter(.indented)
    json.object { json in
      json.member("file", path.bytes)
      json.member("files", files)
      json.member("unreadable", summary.unreadable)
      json.member("cut", cut)
      json.member("percentile_error", Histogram.errorBound)
      json.member("bounded", summary.isBounded)
      summary.write(summary.all, to: &json)
      if let by = summary.question.by {
        json.member("by", by)
        summary.writeGroups(to: &json)
      }
    }
    json.endLine()
    return json.text
  }

  /// A page that loads nothing.
  var html: String {
    var sections = [section("Metrics", headline, rows(summary.all))]
    for group in summary.groups {
      sections.append(section(title(group.value), totals(group.tally), rows(group.tally)))
    }
    if let footnote { sections.append("<p>\(footnote.escapedForHTML)</p>") }
    let title = path.bytes.printable
    return htmlPage(
      title: title, style: Self.style,
      body: """
        <h1>\(title.escapedForHTML)</h1>
        \(sections.joined(separator: "\n"))
        <p>Percentiles are wrong by 0.8 % at most.</p>
        """)
  }

  private static let style = """
    :root { color-scheme: light dark }
    body { font: 16px/1.5 system-ui, sans-serif; max-width: 60rem; margin: 2rem auto; padding: 0 1rem }
    table { border-collapse: collapse; font-variant-numeric: tabular-nums }
    th, td { padding: .2rem .8rem; text-align: right; border-bottom: 1px solid #8884 }
    th:first-child { text-align: left }
    """

  private func section(_ title: String, _ text: String, _ rows: [[String]]) -> String {
    let head = Self.head.map { "<th>\($0.escapedForHTML)</th>" }.joined()
    let body = rows.map { row in
      "<tr><th>\(row[0].escapedForHTML)</th>"
        + row.dropFirst().map { "<td>\($0.escapedForHTML)</td>" }.joined() + "</tr>"
    }
    let table =
      rows.isEmpty ? "" : "\n<table>\n<tr>\(head)</tr>\n\(body.joined(separator: "\n"))\n</table>"
    return "<h2>\(title.escapedForHTML)</h2>\n<p>\(text.escapedForHTML)</p>" + table
  }
}
