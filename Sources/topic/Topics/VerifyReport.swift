import CommandLine
import JSON
import POSIX
import TopicAllocation

/// The kinds of violations, as they are spelled.
enum ViolationKind: String, CaseIterable {
  case unrecognised, duplicate, gap, kind, name, clash, lock

  /// What the option `--only` may call it.
  var words: [Bytes] {
    [rawValue, rawValue + (self == .clash ? "es" : "s")].map { Bytes($0) }
  }
}

/// What a check found in one root.
struct RootCheck {
  let root: Path
  let style: Style
  private(set) var report: Invariants.Report

  /// The violations of `report` that are of the kinds in `only`, or all of them. Unrecognised entries and
  /// held locks are always included, because the rest is unreliable then.
  init(root: Path, style: Style, report: Invariants.Report, only: Set<ViolationKind>?) {
    self.root = root
    self.style = style
    self.report = report
    if let only {
      self.report.violations.removeAll {
        !only.union([.unrecognised, .lock]).contains($0.told(style).kind)
      }
    }
  }

  /// The violations, and a line that sums them up.
  var text: String {
    var text = ""
    for violation in report.violations {
      let told = violation.told(style)
      text += "\(told.kind.rawValue): \(told.what)\n  \(told.remedy)\n"
    }
    let range = report.numbers.map {
      ", \(style.text($0.lowerBound)) to \(style.text($0.upperBound))"
    }
    let topics = "\(report.topics) topic" + (report.topics == 1 ? "" : "s") + (range ?? "")
    let count = report.violations.count
    var verdict = ", \(count == 0 ? "no" : "\(count)") violation" + (count > 1 ? "s" : "")
    if report.isEmpty, count == 0 { verdict = "" }
    return text + "\(root.bytes.quotedForMessage): \(report.isEmpty ? "empty" : topics)\(verdict)\n"
  }

  fileprivate func write(to json: inout JSONWriter) {
    json.object { json in
      json.member("root", root.bytes)
      json.member("topics", report.topics)
      if let numbers = report.numbers {
        json.member("lowest", style.digits(numbers.lowerBound))
        json.member("highest", style.digits(numbers.upperBound))
      }
      json.key("violations")
      json.array { json in writeViolations(to: &json, namesRoot: false) }
    }
  }

  fileprivate func writeViolations(to json: inout JSONWriter, namesRoot: Bool) {
    for violation in report.violations {
      let told = violation.told(style)
      json.object { json in
        json.member("kind", told.kind.rawValue)
        json.key("entries")
        json.array { json in for entry in told.entries { json.string(entry) } }
        json.member("message", told.what)
        json.member("remedy", told.remedy)
        if namesRoot { json.member("root", root.bytes) }
      }
    }
  }
}

extension [RootCheck] {
  /// An object for the only root, or for several roots of `project`.
  func json(_ project: Path) throws(Failure) -> Bytes {
    for check in self {
      let entries = check.report.violations.flatMap { $0.told(check.style).entries }
      try ReportFormat.checkJSONCarries([check.root.bytes] + entries)
    }
    var json = JSONWriter(.indented)
    if count == 1 {
      self[0].write(to: &json)
    } else {
      json.object { json in
        json.member("root", project.bytes)
        json.member("topics", reduce(0) { $0 + $1.report.topics })
        json.key("violations")
        json.array { json in
          for check in self { check.writeViolations(to: &json, namesRoot: true) }
        }
        json.key("roots")
        json.array { json in for check in self { check.write(to: &json) } }
      }
    }
    json.endLine()
    return json.text
  }
}

extension Invariants.Violation {
  /// The violation in words.
  fileprivate func told(
    _ style: Style
  ) -> (kind: ViolationKind, what: String, entries: [Bytes], remedy: String) {
    switch self {
    case .duplicate(let number, let entries):
      let names = entries.map(\.quotedForMessage).joined(separator: ", ")
      return (
        .duplicate, "number \(style.text(number)) belongs to \(names)", entries,
        "rename all but one to the next free number"
      )
    case .gap(let range):
      let numbers =
        range.count == 1
        ? style.text(range.lowerBound)
        : "\(style.text(range.lowerBound)) to \(style.text(range.upperBound))"
      return (
        .gap, "number\(range.count == 1 ? " \(numbers) is" : "s \(numbers) are") missing", [],
        "if topics were removed on purpose, use --allow-gaps"
      )
    case .wrongKind(let entry):
      return (
        .kind, "\(entry.quotedForMessage) is no \(style.makesFiles ? "file" : "directory")",
        [entry],
        "move it elsewhere, or give it a name that does not begin with a number"
      )
    case .malformed(let entry, let proposal):
      return (
        .name, "\(entry.quotedForMessage) does not follow the naming style", [entry],
        proposal.map { "rename it to \($0.quotedForMessage)" }
          ?? "give it \(style.width) digits or more, '\(UnicodeScalar(style.separator))' and a name,"
          + " or a name that does not begin with a digit"
      )
    case .unrecognised(let count, let fitting):
      let entries = count == 1 ? "the only entry is not" : "none of the \(count) entries is"
      let example = style.digits(42) + [style.separator] + Bytes("name") + style.suffix
      let name = fitting.flatMap { style in StyleName.allCases.first { $0.style == style } }
      return (
        .unrecognised, "\(entries) numbered in this style, as \(example.quotedForMessage) is", [],
        name.map { "use --style \($0.rawValue), which fits most of the numbered names" }
          ?? "check another ROOT, or change the style with --style, --width, --separator and --suffix"
      )
    case .clash(let number, let here, let there, let elsewhere):
      return (
        .clash,
        "number \(style.text(number)) belongs to \(here.quotedForMessage) here"
          + " and to \(there.quotedForMessage) in \(elsewhere.quotedForMessage)",
        [here, there],
        "rename \(here.quotedForMessage) to the next free number, or run topic renumber after the merge"
      )
    case .lockHeld(let lock, let holder):
      let by = holder.map { " by \($0.inWords)" } ?? ""
      return (
        .lock, "\(lock.bytes.quotedForMessage) is held\(by)", [],
        holder.map { "wait for process \($0.process) or end it" }
          ?? "look for its holder with lsof or fuser"
      )
    }
  }
}

extension Style {
  fileprivate func text(_ number: Int) -> String {
    String(decoding: digits(number), as: UTF8.self)
  }
}
