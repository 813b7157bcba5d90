import POSIX

/// A plan as it is read from Markdown, with everything that is wrong with it.
public struct PlanReading: Sendable {
  /// The plan, as far as it could be read.
  public let plan: Plan
  /// The mistakes, by line. A valid plan has none.
  public let defects: [PlanDefect]
  /// The headings that begin no task, with their lines. One may be a task that is misspelled.
  public let otherHeadings: [(text: String, line: Int)]
}

extension Plan {
  /// Reads a plan, in the syntax that `topic help plans` explains.
  public static func read(_ text: Bytes) -> PlanReading {
    var reader = PlanReader(text)
    return reader.read()
  }
}

/// Reads the text line by line, then assembles the plan from what it has found.
struct PlanReader {
  static let mostSeconds = 1_000_000_000
  private static let task = Bytes("task")
  private static let fields = [Bytes("timeout"), Bytes("role"), Bytes("depends on")]

  private let text: Bytes
  private var blocks = MarkdownBlocks()
  private var goal: (text: Bytes, line: Int)?
  private var goalContinues = false
  private var tasks: [Plan.Task] = []
  private var groups: [(group: Plan.Group, ids: [String])] = []
  private var otherHeadings: [(text: String, line: Int)] = []
  private var defects: [PlanDefect] = []
  /// Whether the current line belongs to the last task.
  private var isInTask = false
  /// The beginning of the paragraph that the last line belongs to.
  private var paragraph: Int?

  init(_ text: Bytes) {
    self.text = text
  }

  mutating func read() -> PlanReading {
    var start = text[...].withoutByteOrderMark.startIndex
    let isUTF8 = String(validating: text, as: UTF8.self) != nil
    var number = 0
    while start < text.count {
      number += 1
      let end = text[start...].firstIndex(of: .newline) ?? text.count
      let line = text[start..<end]
      if !isUTF8, String(validating: line, as: UTF8.self) == nil {
        defects.append(PlanDefect(number, .notUTF8))
      }
      take(blocks.kind(of: line), number, line)
      start = end + 1
    }
    endTask(at: text.count)
    if goal?.text[...].isBlank ?? true {
      defects.append(PlanDefect(goal?.line ?? 1, .noGoal))
    }
    if tasks.isEmpty { defects.append(PlanDefect(1, .noTask)) }
    var assembly = PlanAssembly(Plan(text: text), defects)
    let (plan, found) = assembly.assemble(Bytes((goal?.text ?? [])[...].trimmed), tasks, groups)
    let sorted = found.enumerated().sorted {
      ($0.element.line, $0.offset) < ($1.element.line, $1.offset)
    }
    return PlanReading(
      plan: plan, defects: sorted.map(\.element), otherHeadings: otherHeadings)
  }

  private mutating func take(
    _ kind: MarkdownBlocks.Kind, _ number: Int, _ line: ArraySlice<UInt8>
  ) {
    switch kind {
    case .heading(let level, let text):
      if level <= 3 { endTask(at: line.startIndex) }
      takeHeading(level, text.withoutComments, number, bodyStart: line.endIndex + 1)
    case .underline: endTask(at: paragraph ?? line.startIndex)
    case .plain(let text):
      paragraph = paragraph ?? line.startIndex
      takeText(text, number)
      return
    case .blank, .inside: break
    }
    paragraph = nil
    goalContinues = false
  }

  private mutating func endTask(at end: Int) {
    guard isInTask, let last = tasks.indices.last else { return }
    let start = tasks[last].body.lowerBound
    tasks[last].body = min(start, end)..<end
    isInTask = false
  }

  private mutating func takeHeading(
    _ level: Int, _ text: ArraySlice<UInt8>, _ number: Int, bodyStart: Int
  ) {
    let after = text.dropFirst(Self.task.count)
    guard level == 3, text.startsIgnoringCase(with: Self.task),
      after.first.map({ $0.isSpace || $0 == UInt8(ascii: ":") }) ?? true
    else {
      otherHeadings.append((text.text, number))
      return
    }
    let rest = after.trimmed
    let id = rest.prefix { !$0.isSpace && $0 != UInt8(ascii: ":") }
    guard let name = PlanReader.id(id.unmarked) else {
      defects.append(PlanDefect(number, .badID(text.text)))
      return
    }
    var description = rest.dropFirst(id.count).trimmed
    if description.first == UInt8(ascii: ":") { description = description.dropFirst().trimmed }
    // As in `### Task 1 - Set up`.
    let dash = description.prefix { !$0.isSpace }
    if ["-", "–", "—"].contains(dash.text) {
      description = description.dropFirst(dash.count).trimmed
    }
    tasks.append(
      Plan.Task(id: name, description: description.text, line: number, body: bodyStart..<bodyStart))
    isInTask = true
  }

  private mutating func takeText(_ text: ArraySlice<UInt8>, _ number: Int) {
    if let cells = text.cells {
      goalContinues = false
      takeRow(cells.map { $0.withoutComments }, number)
      return
    }
    if goalContinues, !text.starts(with: Bytes("**")) {
      goal?.text += Bytes(" ") + text.withoutComments
    } else if isInTask {
      takeField(text, number)
    } else if goal == nil, text.startsIgnoringCase(with: Bytes("**goal")),
      let (name, value) = Self.field(text), name == "goal"
    {
      goal = (Bytes(value.withoutComments), number)
      goalContinues = true
    }
  }

  // MARK: groups

  private mutating func takeRow(_ cells: [ArraySlice<UInt8>], _ number: Int) {
    guard let name = cells.first?.unmarked, name.startsIgnoringCase(with: Bytes("group")) else {
      return
    }
    let digits = name.dropFirst(5).trimmed
    guard !digits.isEmpty, digits.allSatisfy({ $0.isDigit }) else { return }
    guard let group = Int(digits.text) else {
      defects.append(PlanDefect(number, .badGroup(digits.text)))
      return
    }
    if let before = groups.last?.group.number, before >= group {
      defects.append(PlanDefect(number, .groupOrder(group, after: before)))
    }
    let ids = ids(cells.count > 1 ? cells[1] : [], number)
    if ids.isEmpty { defects.append(PlanDefect(number, .emptyGroup(group))) }
    groups.append((Plan.Group(number: group, line: number), ids))
  }

  /// The IDs in a text, separated by commas or white space, each perhaps after the word `Task`.
  private mutating func ids(_ text: ArraySlice<UInt8>, _ number: Int) -> [String] {
    var ids: [String] = []
    for word in text.split(whereSeparator: { $0.isSpace || $0 == UInt8(ascii: ",") }) {
      let word = word.unmarked
      if word.isEmpty || ["task", "tasks", "-", "—"].contains(word.text.lowercased()) { continue }
      if let id = PlanReader.id(word) {
        ids.append(id)
      } else {
        defects.append(PlanDefect(number, .badID(word.text)))
      }
    }
    return ids
  }

  static func id(_ text: ArraySlice<UInt8>) -> String? {
    guard !text.isEmpty else { return nil }
    let isPlain = text.allSatisfy { byte in
      byte.lowercased &- UInt8(ascii: "a") < 26 || byte.isDigit
        || byte == UInt8(ascii: "-") || byte == UInt8(ascii: "_") || byte == UInt8(ascii: ".")
    }
    let id = text.text
    if isPlain { return id }
    let isID = id.unicodeScalars.allSatisfy { scalar in
      switch scalar {
      case "-", "_", ".": true
      default:
        scalar.properties.isAlphabetic || scalar.properties.numericType == .decimal
          || scalar.properties.canonicalCombiningClass != .notReordered
      }
    }
    return isID ? id : nil
  }

  // MARK: fields

  /// The name, in lower case, and the value of a line `Name: value`. `**` may be around the name,
  /// the name and the colon, or all of it.
  private static func field(
    _ text: ArraySlice<UInt8>
  ) -> (name: String, value: ArraySlice<UInt8>)? {
    guard let colon = text.firstIndex(of: UInt8(ascii: ":")) else { return nil }
    var (name, value) = (text[..<colon], text[(colon + 1)...].trimmed)
    let marks = Bytes("**")
    if name.starts(with: marks) {
      name = name.dropFirst(2)
      if name.suffix(2).elementsEqual(marks) {
        name = name.dropLast(2)
      } else if value.starts(with: marks) {
        value = value.dropFirst(2).trimmed
      } else if value.suffix(2).elementsEqual(marks) {
        value = value.dropLast(2).trimmed
      }
    }
    return (name.trimmed.text.lowercased(), value)
  }

  private mutating func takeField(_ text: ArraySlice<UInt8>, _ number: Int) {
    let name = text.first == UInt8(ascii: "*") ? text.drop { $0 == UInt8(ascii: "*") } : text
    guard let last = tasks.indices.last,
      Self.fields.contains(where: { name.startsIgnoringCase(with: $0) }),
      let (name, value) = Self.field(text)
    else { return }
    let text = value.withoutComments.unmarked
    switch name {
    case "timeout":
      guard !text.isEmpty, text.count < 12, text.allSatisfy({ $0.isDigit }),
        let seconds = Int(text.text), (1...Self.mostSeconds).contains(seconds)
      else {
        defects.append(PlanDefect(number, .badTimeout(text.text)))
        return
      }
      tasks[last].timeout = seconds
    case "role": tasks[last].role = text.isEmpty ? nil : text.text
    case "depends on":
      if ["none", "nothing"].contains(text.text.lowercased()) { return }
      tasks[last].named += ids(value.withoutComments, number).map { ($0, number) }
    default: break
    }
  }
}
