// Aggregates of metrics, each in a file of its own
//
// DIR holds baseline.json, post-rollout.json, completeness.json, per-epoch.json, mttr-delta.json
// and state.json. state.json records how far the metrics were read, and the totals so far. An
// update takes flock(2) on DIR and replaces each file that has changed as a whole (AtomicFile),
// state.json last. Then it calls fsync(2) on DIR.
//
// After a crash, some files are new and state.json is still the old one. The next update reads from
// where state.json says, computes the same totals, and replaces the files that differ. After a
// power failure, any file may be the old one. Every update computes all of them from the totals, so
// it replaces those as well.

import JSON
import POSIX

/// The aggregates of a metrics file in a directory.
public struct MetricsAggregates: Sendable {
  /// The metrics that the aggregates are about.
  public let file: MetricsFile
  /// The directory that holds the aggregates.
  public let directory: Path
  /// Which entries count.
  public let question: MetricsSummary.Question
  /// The field that says how long something took.
  public let duration: String

  private static let names = [
    "baseline", "post-rollout", "completeness", "per-epoch", "mttr-delta", "state",
  ].map { Bytes("\($0).json") }

  /// The key that groups entries by default.
  public static let usualGroup = "epoch"

  /// The aggregates of `file` in `directory`.
  public init(
    of file: MetricsFile, in directory: Path, _ question: MetricsSummary.Question, duration: String
  ) {
    self.file = file
    self.directory = directory
    self.question = question
    self.duration = duration
  }

  /// The result of an update.
  public struct Update: Sendable {
    /// The totals of all entries.
    public let summary: MetricsSummary
    /// How many entries were new.
    public let new: Int
    /// Why the update read everything again; nil if it did not.
    public let rebuilt: String?
    /// How many files end in an incomplete line.
    public let cut: Int
  }

  /// Reads what is new and replaces the files that change. Waits for other updates until
  /// `deadline`.
  public func update(until deadline: Instant) throws(SystemError) -> Update {
    if try directory.makeDirectoryWithParents() { try directory.synchronizeWithParents() }
    let lock = try Descriptor(opening: directory, .directory)
    try lock.takeLock(until: deadline)
    return try update(lock)
  }

  private func update(_ lock: borrowing Descriptor) throws(SystemError) -> Update {
    var (summary, reading, rebuilt) = try earlier()
    let before = summary.all.entries
    try reading.readNew(of: file, into: &summary)
    try AtomicFile.removeLeftovers(of: Self.names, in: lock)
    // An entry without its newline counts, but not in the state: the next update reads it again.
    let state = MetricsState(summary: summary, reading: reading)
    summary.addUnended(of: reading)
    var files: [(String, Bytes)] = []
    if let baseline = summary.baseline { files.append(("baseline", baseline + [.newline])) }
    files += [
      ("post-rollout", postRollout(summary)), ("completeness", completeness(summary)),
      ("per-epoch", groups(summary)), ("mttr-delta", durations(summary)), ("state", state.text),
    ]
    var hasChanged = false
    if summary.baseline == nil {
      do throws(SystemError) {
        try lock.removeFile(Bytes("baseline.json"))
        hasChanged = true
      } catch {
        if error.errno != .notFound { throw error }
      }
    }
    for (name, text) in files {
      if try AtomicFile.replaceIfDifferent(Bytes("\(name).json"), in: lock, with: text) {
        hasChanged = true
      }
    }
    if hasChanged { try lock.synchronize() }
    return Update(
      summary: summary, new: summary.all.entries - before, rebuilt: rebuilt, cut: reading.cut)
  }

  /// What earlier updates read, if it is still valid; otherwise nothing, and the reason.
  private func earlier() throws(SystemError) -> (MetricsSummary, MetricsReading, String?) {
    let nothing = (MetricsSummary(question), MetricsReading())
    let text: Bytes
    do throws(SystemError) {
      text = try directory.appending("state.json").maintainedContents()
    } catch {
      if error.errno == .notFound { return (nothing.0, nothing.1, nil) }
      throw error
    }
    guard let json = try? JSONValue(parsing: text), let state = MetricsState(json, question) else {
      return (
        nothing.0, nothing.1,
        "state.json is damaged, or from an older version or a different question"
      )
    }
    guard try state.reading.holds(for: file) else {
      return (nothing.0, nothing.1, "the metrics were truncated or replaced")
    }
    return (state.summary, state.reading, nil)
  }

  // MARK: The files

  private func object(_ members: (inout JSONWriter) -> Void) -> Bytes {
    var json = JSONWriter(.indented)
    json.object(members)
    json.endLine()
    return json.text
  }

  /// The totals since the baseline.
  private func postRollout(_ summary: MetricsSummary) -> Bytes {
    let entries = summary.all.entries - summary.untilBaseline.entries
    let passed = summary.all.passed - summary.untilBaseline.passed
    return object { json in
      json.member("entries", summary.baseline == nil ? 0 : entries)
      json.member("passed", summary.baseline == nil ? 0 : passed)
      json.member(
        "success_rate",
        summary.baseline == nil || entries == 0 ? nil : Double(passed) / Double(entries))
      json.member("entries_until_baseline", summary.untilBaseline.entries)
      json.member("unreadable", summary.unreadable)
    }
  }

  private func completeness(_ summary: MetricsSummary) -> Bytes {
    object { json in
      json.member("entries", summary.all.entries)
      json.member("complete", summary.complete)
      json.member("share", summary.completeness)
      json.key("fields")
      json.object { json in
        for (key, count) in zip(question.required, summary.present) {
          json.key(key)
          json.object { json in
            json.member("present", count)
            json.member(
              "share", summary.all.entries == 0 ? nil : Double(count) / Double(summary.all.entries))
          }
        }
      }
    }
  }

  private func groups(_ summary: MetricsSummary) -> Bytes {
    object { json in
      json.member("by", question.by ?? Self.usualGroup)
      json.member("bounded", summary.isBounded)
      summary.writeGroups(to: &json)
    }
  }

  /// The mean duration since the baseline, compared with that of the baseline.
  private func durations(_ summary: MetricsSummary) -> Bytes {
    let first = summary.baseline.flatMap { try? JSONValue(parsing: $0) }?[duration]?.double
    let all = summary.field(duration, of: summary.all)
    let before = summary.field(duration, of: summary.untilBaseline)
    let count = (all?.count ?? 0) - (before?.count ?? 0)
    let sum = (all?.sum ?? 0) - (before?.sum ?? 0)
    let isKnown = summary.baseline != nil && count > 0
    let mean = isKnown && sum.isFinite ? sum / Double(count) : nil
    let delta = mean.flatMap { mean in first.map { mean - $0 } }
    return object { json in
      json.member("field", duration)
      json.member("baseline", first)
      json.member("mean", mean)
      json.member("count", isKnown ? count : 0)
      json.member("delta", delta)
      json.member(
        "change_percent",
        delta.flatMap { delta in first.flatMap { $0 == 0 ? nil : delta / $0 * 100 } })
    }
  }
}

extension MetricsSummary {
  /// Writes the member `groups`, an array of all groups.
  public func writeGroups(to json: inout JSONWriter) {
    json.objects("groups", groups) { json, group in
      json.member("value", group.value)
      write(group.tally, to: &json)
    }
  }

  /// Writes the members of a tally: entries, passed, success rate and fields.
  public func write(_ tally: MetricsTally, to json: inout JSONWriter) {
    json.member("entries", tally.entries)
    json.member("passed", tally.passed)
    json.member("success_rate", tally.successRate)
    json.key("fields")
    json.object { json in
      for (name, field) in fields(of: tally) {
        json.key(name)
        json.object { json in
          json.member("count", field.count)
          json.member("mean", field.mean)
          json.member("min", field.lowest)
          json.member("max", field.highest)
          for (name, value) in field.shownPercentiles { json.member(name, value) }
        }
      }
    }
  }
}
