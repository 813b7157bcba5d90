import CommandLine
import Git
import POSIX
import TopicAllocation
import TopicLedger

extension Command {
  static let verify = Command(
    "verify", "check for duplicate numbers, gaps, bad names and held locks",
    Syntax(
      .root,
      options: [
        OptionGroup(
          "What counts as a violation",
          [
            Option("allow-gaps", help: "Numbers may be missing."),
            Option(
              "strict",
              help: """
                Report everything: gaps in every style and scope, too, unless `--allow-gaps` is given.
                """),
            Option(
              "only", .choice("KIND", ViolationKind.self), repeatable: true,
              help: """
                Report only this kind of violation: `duplicate`, `gap` (in every style and scope),
                `kind`, `name`, `clash`, `lock` or `unrecognised`; the plural is accepted. `lock` and
                `unrecognised` are always reported, because the rest is unreliable then.
                """),
            Option(
              "against", .ref("REF"), repeatable: true,
              help: """
                Report a `clash` if a number belongs to one entry here and to another entry of the
                same root in REF, the branch or commit to merge with.
                """),
            Option(
              "start", .text("N"),
              help: """
                Report a gap if the lowest number is higher than N, in every style. Has no effect with
                `--allow-gaps`, and in a scope beyond `root` only with `--strict` or `--only gap`.
                """),
            .scope,
          ]),
        OptionGroup(
          "Result",
          [
            Option(
              "enforce", .choice("MODE", Enforcement.self),
              help: """
                `strict` (default: exit with 1 if there is a violation), `warn` (print it, but exit
                with 0) or `off` (do not check).
                """), .reportFormat,
          ]), OptionGroup("Naming", Style.namingOptions),
      ],
      text: """
        Checks the topics of ROOT and prints each violation, the entries concerned and the remedy.
        Exits with 1 if there is one. Changes nothing. It checks that

        - no number is a duplicate,
        - no number is missing between the lowest and the highest one,
        - every topic is a directory, or a file in styles that make files,
        - every entry that looks numbered is named as the style demands,
        - some entry has a number or a date, unless ROOT is empty: otherwise it is probably the wrong
          directory or the wrong style,
        - nobody holds a lock for longer than five seconds.

        Gaps are violations in the style `topic`, unless the scope is `worktrees` or `remote`. In
        other styles and scopes, they are reported only with `--only gap` or `--strict`.

        Dates are not numbers: eight digits and more, or a day such as 2025-11-29. In a style that
        makes files, an entry that shares the number of such a file, but not its suffix, is its
        companion and may be anything.

        # Without ROOT

        If `$CLAUDE_SPECS_ROOT` is set, it is the only root checked. Otherwise these roots of the
        project are checked, if they exist; if none does, the exit status is 66:

        - `.claude/specs` and `specs`, in the style `topic` or `spec-kit`, whichever numbers more
          entries;
        - `docs/adr`, `doc/adr`, `docs/decisions`, `docs/architecture/decisions`,
          `doc/architecture/decisions` and `docs/architecture-decisions`, in the style `adr`.

        With `--style adr`, only the second group is checked; with any other naming option, only the
        first.

        # JSON

        An object with the keys `root`, `topics`, `lowest` and `highest` (if there are topics), and
        `violations`, an array of objects with the keys `kind`, `entries`, `message` and `remedy`. If
        several roots are checked, `root` is the project, `topics` is the sum, each violation also
        has the key `root`, and `roots` is an array with an object as above for each root.
        """,
      examples: """
        # In a continuous integration job; deleted topics are all right.
        topic verify --allow-gaps specs

        topic verify --against origin/main --only duplicate --only clash
        topic verify --style adr --start 1 doc/adr
        """)
  ) { arguments throws(Failure) in
    let enforcement = try arguments.choice("enforce", of: Enforcement.self) ?? .strict
    let format = try arguments.choice("format", of: ReportFormat.self) ?? .text
    let only = try kindsToReport(arguments)
    let style = try Style(arguments)
    if enforcement == .off { return }
    let (project, roots) = try roots(arguments, style)
    var checks: [RootCheck] = []
    for (root, style) in roots {
      let report = try check(root, style, arguments, only: only)
      checks.append(RootCheck(root: root.path, style: style, report: report, only: only))
    }
    try printOut(format == .json ? checks.json(project) : Bytes(checks.map(\.text).joined()))
    let isGood = checks.allSatisfy(\.report.violations.isEmpty)
    if enforcement == .strict, !isGood { throw Failure(.negative, nil) }
  }

  /// The kinds of violations that `--only` names; nil if the option is not given.
  private static func kindsToReport(
    _ arguments: Arguments
  ) throws(Failure) -> Set<ViolationKind>? {
    var kinds: Set<ViolationKind> = []
    for word in arguments.values(of: "only") {
      guard let kind = ViolationKind.allCases.first(where: { $0.words.contains(word) }) else {
        throw .unknown("kind of violation", word, ViolationKind.allCases.map(\.rawValue))
      }
      kinds.insert(kind)
    }
    if kinds == [.gap], arguments.has("allow-gaps") {
      throw .usage("--only gap and --allow-gaps exclude each other")
    }
    if kinds == [.clash], !arguments.has("against") {
      throw .usage("--only clash needs --against REF, the branch to compare with")
    }
    return kinds.isEmpty ? nil : kinds
  }

  /// The roots to check, each with its style, and the project that they belong to.
  private static func roots(
    _ arguments: Arguments, _ given: Style
  ) throws(Failure) -> (project: Path, roots: [(root: Root, style: Style)]) {
    if let operand = arguments.operands.first {
      let root = try root(operand)
      return (root.path, [(root, given)])
    }
    let project = try attempt(Location.project(), otherwise: .inputOutput)
    let isStyleGiven = Style.namingOptions.contains { arguments.has($0.name) }
    var contents: [Location.Contents] = [.topics, .decisionRecords]
    if isStyleGiven {
      let name = try arguments.choice("style", of: StyleName.self)
      contents = [name == .adr ? .decisionRecords : .topics]
    }
    var roots: [(root: Root, style: Style)] = []
    for contents in contents {
      for root in try reach(
        otherwise: .inputOutput, Location.roots(of: project, with: contents))
      where !roots.contains(where: { $0.root.path == root.path }) {
        roots.append((root, isStyleGiven ? given : try usualStyle(of: root, contents)))
      }
    }
    if roots.isEmpty { throw noRoot(in: project, contents.flatMap(\.places)) }
    return (project, roots)
  }

  private static func usualStyle(
    of root: Root, _ contents: Location.Contents
  ) throws(Failure) -> Style {
    switch contents {
    case .topics: try attempt(root.usualStyle(among: [.topic, .specKit]), otherwise: .inputOutput)
    case .decisionRecords: .adr
    }
  }

  private static func noRoot(in project: Path, _ places: [String]) -> Failure {
    let first = project.appending(places[0]).bytes.quotedForShell
    return Failure(
      .noInput,
      "there is no root in \(project.bytes.quotedForMessage): looked for "
        + places.joined(separator: ", "),
      advice: "name the ROOT, or create one: mkdir -p \(first.printable)")
  }

  private static func check(
    _ root: Root, _ style: Style, _ arguments: Arguments, only: Set<ViolationKind>?
  ) throws(Failure) -> Invariants.Report {
    var invariants = Invariants(style)
    let reportsGaps = only?.contains(.gap) ?? true
    let asksForGaps = only?.contains(.gap) == true || arguments.has("strict")
    var allowsGaps = arguments.has("allow-gaps")
    // In a scope, a reservation whose directory was never created leaves a gap. Where gaps are allowed or
    // asked for anyway, the scope makes no difference.
    if arguments.has("scope") || !(allowsGaps || asksForGaps || !reportsGaps) {
      let scope = try Scope.inForce(arguments, for: root, needsGit: arguments.has("against"))
      allowsGaps = allowsGaps || (scope != .root && !asksForGaps)
    }
    if allowsGaps {
      invariants.allowsGaps = true
    } else {
      if asksForGaps { invariants.allowsGaps = false }
      invariants.start = try arguments.number("start", in: 0...Style.highestNumber)
    }
    var report = try attempt(invariants.check(root.path), otherwise: .inputOutput)
    let references = arguments.values(of: "against")
    if !references.isEmpty { report.violations += try clashes(root, references, invariants) }
    return report
  }
}

private func clashes(
  _ root: Root, _ references: [Bytes], _ invariants: Invariants
) throws(Failure) -> [Invariants.Violation] {
  let sides: [OtherSide]
  do throws(GitError) {
    let deadline = Instant.now + .seconds(60)
    sides = try Repository(holding: root, until: deadline).otherSides(references)
  } catch {
    throw Failure(error, offersRoot: false)
  }
  let here = try attempt(invariants.entries(of: root), otherwise: .inputOutput)
  return zip(references, sides).flatMap { reference, side in
    invariants.clashes(here, with: side.entries, in: reference, since: side.base)
  }
}
