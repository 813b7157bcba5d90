import CommandLine
import Git
import POSIX
import TopicAllocation
import TopicLedger

extension Command {
  static let verify = Command(
    name: "verify",
    help: """
      Usage: topic verify [option]... [ROOT]

      Checks that ROOT has no duplicate number and no gap, that every topic is a directory
      (or a file, in styles that make files), that every name is well formed, and that no
      lock is held. Prints each violation, the entries concerned and the remedy. Exit
      status 1 if there is any.

      Without ROOT, checks every root of the project. If $CLAUDE_SPECS_ROOT is set, that
      is the only one. Otherwise these are checked, where they exist:
        .claude/specs, specs (style topic or spec-kit, whichever numbers more entries)
        docs/adr, doc/adr, docs/decisions, docs/architecture/decisions,
        doc/architecture/decisions, docs/architecture-decisions (style adr)
      With a naming option, such as --style, checks only the roots of that kind. Exit
      status 66 if there is no root.

      An empty ROOT is valid. A ROOT that has entries, but none with a number or a date, is
      a violation: it is probably the wrong directory or the wrong style.

            --against REF     report numbers that belong to another entry of the same root
                              in REF, the branch or commit to merge with; repeatable
            --allow-gaps      numbers may be missing
            --enforce MODE    strict (default), warn (print, but exit with 0) or off
                              (do not check)
        -f, --format FORMAT   text (default) or json
            --only KIND       report only this kind of violation: duplicate, gap, kind, name,
                              clash, lock or unrecognised; repeatable. lock and unrecognised
                              are always reported, because the rest is unreliable then
            --scope SCOPE     root (default), worktrees or remote: see topic-alloc(1)
            --start N         the first number must be N (default: gaps are looked for
                              between the lowest and the highest number)
            --strict          report every violation, including gaps
            --style STYLE     topic (default), spec-kit or adr; --width, --separator
                              and --suffix change it as in topic-alloc

      Gaps are violations in style topic, unless the scope is worktrees or remote (--scope,
      $TOPIC_ALLOC_SCOPE or git config topic-alloc.scope). In other styles and scopes, gaps
      are reported only with --only gap or --strict.

      """,
    options: [
      Option("allow-gaps"), Option("enforce", takesValue: true), Option("strict"),
      Option("only", takesValue: true), Option("scope", takesValue: true),
      Option("against", takesValue: true), Option("format", "f", takesValue: true),
    ] + Style.options, operands: 0...1
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

  /// The kinds of violations that `--only` names; nil when all are to be reported.
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
      throw .usage("--only clash needs --against: the branch to compare with")
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
      advice: "name the ROOT, or make one: mkdir -p \(first.printable)")
  }

  private static func check(
    _ root: Root, _ style: Style, _ arguments: Arguments, only: Set<ViolationKind>?
  ) throws(Failure) -> Invariants.Report {
    var invariants = Invariants(style)
    let reportsGaps = only?.contains(.gap) ?? true
    let asksForGaps = only?.contains(.gap) == true || arguments.has("strict")
    // A reservation whose directory was never made is a gap.
    var allowsGaps = arguments.has("allow-gaps")
    // Where gaps do not count anyway, the scope decides nothing.
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
    let deadline = Instant.now.advanced(byNanoseconds: 60_000_000_000)
    sides = try Repository(holding: root, until: deadline).otherSides(references)
  } catch {
    throw Failure(error, offersRoot: false)
  }
  let here = try attempt(invariants.entries(of: root), otherwise: .inputOutput)
  return zip(references, sides).flatMap { reference, side in
    invariants.clashes(here, with: side.entries, in: reference, since: side.base)
  }
}
