import CommandLine
import POSIX
import Plans

extension Command {
  static let planStatus = Command(
    "status", "print the progress of a plan, and who has which task",
    Syntax(
      .plan,
      options: [
        .reportFormat,
        Option(
          "watch",
          help: """
            Continue until all tasks are done. On a terminal, redraw the view in place, twice a
            second. Elsewhere, print it again whenever something has changed; JSON is on one line.
            """),
      ],
      text: """
        Prints how many tasks of PLAN are done, which worker has which task and for how long, and
        which tasks failed. Takes no lock.
        """,
      examples: """
        topic plan status --watch PLAN.md
        topic plan status --format json PLAN.md | jq .done
        """)
  ) { arguments throws(Failure) in
    let store = try PlanStore.withState(arguments)
    let format = try arguments.choice("format", of: ReportFormat.self) ?? .text
    guard arguments.has("watch") else {
      let view = PlanView(try attempt(store.load(), on: store.path))
      store.noteEdit(view.state.edit)
      return try printOut(format == .json ? view.json(.indented) : view.text(most: .max))
    }
    TerminationSignals.hold()
    if format == .text, StandardStream.output.isTerminal {
      try draw(store)
    } else {
      try printChanges(store, format)
    }
  }
}

private let pause = Duration.milliseconds(500)

/// Waits for the next look; false if the user wants to end.
private func waitsForNext() -> Bool {
  let next = Instant.now + pause
  while Instant.now < next, !TerminationSignals.isWaiting {
    Instant.sleep(.milliseconds(20))
  }
  return !TerminationSignals.isWaiting
}

private func printChanges(_ store: PlanStore, _ format: ReportFormat) throws(Failure) {
  var last: PlanView?
  repeat {
    let view = PlanView(try attempt(store.load(), on: store.path))
    if last?.isSame(as: view) != true {
      try printOut(format == .json ? view.json(.compact) : view.text(most: .max) + Bytes("\n"))
    }
    last = view
    if view.isDone { return }
  } while waitsForNext()
}

/// Draws in place, with the cursor hidden, until all is done. The last view stays.
private func draw(_ store: PlanStore) throws(Failure) {
  try printRaw(Bytes("\u{1B}[?25l"))
  defer { try? StandardStream.output.writeAll(Bytes("\u{1B}[?25h")) }
  var height = 0
  repeat {
    let view: PlanView
    do throws(PlanStoreError) { view = PlanView(try store.load()) } catch {
      // Somebody may be editing the plan. Other errors do not go away by themselves.
      guard case .defects = error, height > 0 else { throw Failure(error, store.path) }
      continue
    }
    let rows = StandardStream.output.rows ?? 24
    let columns = StandardStream.output.columns ?? 80
    let lines = view.text(most: max(rows - 5, 1)).split(separator: .newline)
    // Go to the first line of the last view, replace each line, and clear what is below.
    var frame = Bytes(height > 0 ? "\u{1B}[\(height)A\r" : "\r")
    for line in lines { frame += line.fitting(columns) + Bytes("\u{1B}[K\n") }
    try printRaw(frame + Bytes("\u{1B}[J"))
    height = lines.count
    if view.isDone { return }
  } while waitsForNext()
}

extension ArraySlice<UInt8> {
  /// As many characters as the terminal has columns. A line that wraps would take two rows.
  fileprivate func fitting(_ columns: Int) -> Bytes {
    Bytes(String(String(decoding: self, as: UTF8.self).prefix(Swift.max(columns - 1, 1))))
  }
}
