import CommandLine
import POSIX
import Plans
import TopicAllocation

/// The value of `call`, which works on the plan at `path`.
func attempt<Result>(
  _ call: @autoclosure () throws(PlanStoreError) -> Result, on path: Path
) throws(Failure) -> Result {
  do throws(PlanStoreError) { return try call() } catch { throw Failure(error, path) }
}

extension Failure {
  /// Why the plan at `path`, or its state, is unavailable.
  init(_ error: PlanStoreError, _ path: Path) {
    switch error {
    case .system(let error) where error.errno == .notFound && error.path == path:
      let near = path.nearestSibling { $0 == .file || $0 == .symbolicLink }
      self.init(
        .noInput,
        "there is no plan \(path.bytes.quotedForMessage)"
          + (near.map { "; did you mean \($0.quotedForMessage)?" } ?? ""),
        advice: "run 'topic help plans' to see what a plan looks like")
    case .system(let error): self.init(error, otherwise: .inputOutput)
    case .defects(let reading):
      let count = reading.defects.count
      reading.printDefects(path, most: 10)
      self.init(
        .data,
        "\(path.bytes.quotedForMessage) has \(count) defect\(count == 1 ? "" : "s")"
          + (count > 10 ? "; the first 10 are listed" : ""),
        advice: "correct the plan; 'topic plan check' lists all defects")
    case .damaged(let state, let reason):
      self.init(
        .data, "\(state.bytes.quotedForMessage) is not the state of a plan: \(reason)",
        advice: "restore it, or remove it to start over with all tasks pending")
    }
  }
}

extension PlanReading {
  /// Prints the first defects on standard error, as compilers do: `PLAN.md:12: message`.
  func printDefects(_ path: Path, most: Int = .max) {
    var text = Bytes()
    for (defect, message) in zip(defects, messages).prefix(most) {
      text += Bytes("\(path.bytes.printable):\(defect.line): \(message.onOneLine)\n")
    }
    try? StandardStream.error.writeAll(text)
  }

  /// What is wrong; for an unknown ID, with the heading that was probably meant.
  var messages: [String] {
    let unknown = defects.count { $0.unknownID != nil }
    let unused = defects.compactMap { defect in
      if case .inNoGroup(let id) = defect.kind { (id: id, line: defect.line) } else { nil }
    }
    // Each is compared with each. If there are this many, they are not misspellings.
    let isFew = unknown * (unused.count + otherHeadings.count) < 40_000
    return defects.map { defect in
      guard isFew, let id = defect.unknownID, let meant = heading(like: id, unused) else {
        return defect.message
      }
      return defect.message + "; did you mean the heading '\(meant.text)' on line \(meant.line)?"
    }
  }

  private func heading(
    like id: String, _ unused: [(id: String, line: Int)]
  ) -> (text: String, line: Int)? {
    if case .noSuchDependency = defects.first(where: { $0.unknownID == id })?.kind {
      guard let near = plan.task(like: id) else { return nil }
      return ("Task \(near.id)", near.line)
    }
    let heading = otherHeadings.first { heading in
      let words = heading.text.split { $0 == " " || $0 == ":" }
      return words.prefix(2).contains { $0 == id }
    }
    if let heading { return heading }
    guard let near = nearest(to: id, in: unused.map(\.id)) else { return nil }
    return unused.first { $0.id == near }.map { ("Task \($0.id)", $0.line) }
  }
}

extension Plan {
  /// The task that was probably meant.
  func task(like id: String) -> Task? {
    guard tasks.count < 1_000, let near = nearest(to: id, in: tasks.map(\.id)) else { return nil }
    return tasks.first { $0.id == near }
  }
}
