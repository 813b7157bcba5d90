import CommandLineTool
import JSON
import POSIX
import TopicAllocation
import TopicLedger

/// What follows from a violation.
enum Enforcement: String, CaseIterable {
  case strict, warn, off
}

/// How a command prints what it has found.
enum ReportFormat: String, CaseIterable {
  case text, json
}

extension Command {
  static let verify = Command(
    name: "verify",
    help: """
      Usage: topic verify [option]... [ROOT]

      Checks the invariants of ROOT, or of the detected root: no number twice, no gap,
      every topic a directory (a file in file styles), no malformed name, no lock held.
      Prints each violation with the entries and what to do. Exit code 1 on any.

            --against REF     nor may a number belong to another entry of the same root in
                              REF, a branch or commit that this one is to be merged with
            --allow-gaps      numbers may be missing; so they may where --scope, or git
                              config topic-alloc.scope, says worktrees or remote
            --enforce MODE    strict (default), warn (print, but exit with 0) or off
                              (do not check)
        -f, --format FORMAT   text (default) or json
            --scope SCOPE     root (default), worktrees or remote: see topic-alloc(1)
            --start N         the first number must be N (default: gaps are looked for
                              between the lowest and the highest number)
            --style STYLE     topic (default), spec-kit or adr; --width, --separator
                              and --suffix change it as in topic-alloc

      """,
    options: [
      Option("allow-gaps"), Option("enforce", takesValue: true),
      Option("scope", takesValue: true), Option("against", takesValue: true),
      Option("format", "f", takesValue: true),
    ] + Style.options, operands: 0...1
  ) { arguments throws(Failure) in
    let enforcement = try arguments.choice("enforce", of: Enforcement.self) ?? .strict
    let format = try arguments.choice("format", of: ReportFormat.self) ?? .text
    let style = try Style(arguments)
    var invariants = Invariants(style)
    invariants.allowsGaps = arguments.has("allow-gaps")
    if arguments.has("start") { invariants.start = style.start }
    let root = try root(arguments.operands.first)
    // A reservation whose directory was never made is a gap.
    if try Scope.inForce(arguments, for: root) != .root { invariants.allowsGaps = true }
    if enforcement == .off { return }
    var report = Invariants.Report.ofNothing
    if root.exists || !arguments.operands.isEmpty {
      report = try attempt(invariants.check(root.path), otherwise: .inputOutput)
    }
    if let reference = arguments.value(of: "against") {
      report.violations += try clashes(root, reference, invariants)
    }
    if format == .json { try report.checkIsUTF8(root.path) }
    try printOut(
      format == .json ? report.json(root.path, style) : Bytes(report.text(root.path, style)))
    if enforcement == .strict, !report.violations.isEmpty { throw Failure(.negative, nil) }
  }
}

private func clashes(
  _ root: Root, _ reference: Bytes, _ invariants: Invariants
) throws(Failure) -> [Invariants.Violation] {
  let entries: [Bytes]
  let base: [Bytes]
  do throws(LedgerError) {
    let deadline = Instant.now.advanced(byNanoseconds: 60_000_000_000)
    let repository = try Repository(holding: root, until: deadline)
    entries = try repository.entries(in: reference)
    base =
      try repository.mergeBase(with: reference).map { base throws(LedgerError) in
        try repository.entries(in: base)
      } ?? []
  } catch {
    throw Failure(error)
  }
  return try attempt(
    invariants.clashes(root, with: entries, in: reference, since: base), otherwise: .inputOutput)
}

extension Invariants.Report {
  fileprivate func text(_ root: Path, _ style: Style) -> String {
    var text = ""
    for violation in violations {
      let told = violation.told(style)
      text += "\(told.kind): \(told.what)\n  \(told.remedy)\n"
    }
    let range = numbers.map {
      ", \(style.text($0.lowerBound)) to \(style.text($0.upperBound))"
    }
    let count = "\(topics) topic" + (topics == 1 ? "" : "s") + (range ?? "")
    let verdict =
      violations.isEmpty
      ? "no violation" : "\(violations.count) violation" + (violations.count == 1 ? "" : "s")
    return text + "\(root.bytes.quotedForMessage): \(count), \(verdict)\n"
  }

  /// JSON is UTF-8, and an entry that is spelled otherwise than it is helps nobody.
  fileprivate func checkIsUTF8(_ root: Path) throws(Failure) {
    for entry in [root.bytes] + violations.flatMap({ $0.told(.topic).entries })
    where !UTF8Decoder.isValid(entry) {
      throw Failure(
        .data, "cannot write \(entry.quotedForMessage) as JSON: it is not UTF-8",
        advice: "use --format text")
    }
  }

  fileprivate func json(_ root: Path, _ style: Style) -> Bytes {
    var json = JSONWriter(.indented)
    json.object { json in
      json.member("root", root.bytes)
      json.member("topics", topics)
      if let numbers {
        json.member("lowest", style.digits(numbers.lowerBound))
        json.member("highest", style.digits(numbers.upperBound))
      }
      json.key("violations")
      json.array { json in
        for violation in violations {
          let told = violation.told(style)
          json.object { json in
            json.member("kind", Bytes(told.kind))
            json.key("entries")
            json.array { json in for entry in told.entries { json.string(entry) } }
            json.member("message", Bytes(told.what))
            json.member("remedy", Bytes(told.remedy))
          }
        }
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
  ) -> (kind: String, what: String, entries: [Bytes], remedy: String) {
    switch self {
    case .duplicate(let number, let entries):
      let names = entries.map(\.quotedForMessage).joined(separator: ", ")
      return (
        "duplicate", "number \(style.text(number)) belongs to \(names)", entries,
        "rename all but one to the next free number"
      )
    case .gap(let range):
      let numbers =
        range.count == 1
        ? style.text(range.lowerBound)
        : "\(style.text(range.lowerBound)) to \(style.text(range.upperBound))"
      return (
        "gap", "nothing has the number\(range.count == 1 ? "" : "s") \(numbers)", [],
        "nothing to do if topics were removed on purpose; then use --allow-gaps"
      )
    case .wrongKind(let entry):
      return (
        "kind", "\(entry.quotedForMessage) is no \(style.makesFiles ? "file" : "directory")",
        [entry],
        "move it elsewhere, or give it a name that does not begin with a number"
      )
    case .malformed(let entry, let proposal):
      return (
        "name", "\(entry.quotedForMessage) is not named as this style names", [entry],
        proposal.map { "rename it to \($0.quotedForMessage)" }
          ?? "rename it to a number of \(style.width) digits or more,"
          + " '\(UnicodeScalar(style.separator))' and a name; or so that it begins with no digit"
      )
    case .clash(let number, let here, let there, let elsewhere):
      return (
        "clash",
        "number \(style.text(number)) belongs to \(here.quotedForMessage) here"
          + " and to \(there.quotedForMessage) in \(elsewhere.quotedForMessage)",
        [here, there],
        "rename \(here.quotedForMessage) to the next free number, or run topic renumber after the merge"
      )
    case .lockHeld(let lock, let holder):
      let by = holder.map { " by \($0.inWords)" } ?? ""
      return (
        "lock", "\(lock.bytes.quotedForMessage) is held\(by)", [],
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
