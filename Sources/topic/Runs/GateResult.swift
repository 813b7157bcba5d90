import CommandLine
import JSON
import POSIX

/// What a gate found.
struct GateResult {
  /// A step that failed.
  struct FailedStep {
    let name: String
    /// The reason, in a few words.
    let error: String
    /// Its exit code; nil if it timed out, or if it is unknown.
    var code: Int32?
    /// How long it took; nil if that is unknown.
    var seconds: Double?
    /// The last lines that it printed.
    var lastLines: [String] = []
  }

  /// The names of the steps that passed.
  var completed: [String] = []
  /// The steps that failed.
  var failed: [FailedStep] = []
  /// The names of the steps that did not run.
  var skipped: [String] = []
  /// The name of the workflow that the steps belong to, if it is known.
  private(set) var workflow: String?
  /// What follows from a failure, if the result itself says so.
  private(set) var enforcement: Enforcement?
  /// Whether there are failures, if the result itself says so.
  private var claimsFailures: Bool?

  /// Whether there are failures. A result that contradicts itself has some.
  var hasFailures: Bool { !failed.isEmpty || claimsFailures == true }

  /// Writes the members of the result into an object, with what follows from a failure.
  func write(_ enforcement: Enforcement, to json: inout JSONWriter) {
    json.member("enforce", enforcement.rawValue)
    json.member("enforcement_level", enforcement.rawValue)
    if let workflow { json.member("workflow_name", workflow) }
    json.member("has_failures", hasFailures)
    func names(_ key: String, _ names: [String]) {
      json.key(key)
      json.array { json in for name in names { json.string(Bytes(name)) } }
    }
    names("steps_completed", completed)
    json.objects("steps_failed", failed) { json, step in
      json.member("step", step.name)
      json.member("error", step.error)
      if let seconds = step.seconds {
        json.key("code")
        json.number(step.code.map { Int($0) })
        json.member("seconds", seconds)
      }
      if !step.lastLines.isEmpty {
        json.strings("last_lines", step.lastLines)
      }
    }
    if !skipped.isEmpty { names("steps_skipped", skipped) }
  }

  /// The failures in words, each step with the last lines that it printed.
  var failuresInWords: String {
    let count = completed.count + failed.count + skipped.count
    var lines = [workflow.map { "workflow \(Bytes($0).quotedForMessage): " } ?? ""]
    if failed.isEmpty {
      lines[0] += "has_failures is true, but steps_failed names no step"
    } else {
      lines[0] += "\(failed.count) of \(counted(count, "step")) failed"
      if claimsFailures == false { lines[0] += ", although has_failures is false" }
    }
    for step in failed {
      lines.append(
        "step \(Bytes(step.name).quotedForMessage): \(Bytes(step.error).printable)")
      lines += step.lastLines.map { "  | " + Bytes($0).printable }
    }
    return lines.joined(separator: "\n")
  }
}

extension GateResult {
  /// The members of a result that decide.
  private static let members = [
    "has_failures", "steps_completed", "steps_failed", "enforcement_level",
  ]
  /// Members whose names resemble one of them and mean something else.
  private static let otherMembers = ["steps_passed"]

  /// Reads the result of steps that another program ran: `{"steps_completed": ["NAME", …],
  /// "steps_failed": [{"step": "NAME", "error": "TEXT"}, …]}`, and optionally `has_failures`,
  /// `enforcement_level` and `workflow_name`. The first array may be missing, and so may the second
  /// if `has_failures` is false. A step may also be a string, or have its name as `name`.
  ///
  /// A result with a misspelt member must not pass for one without failures, so that is an error.
  init(reading input: InputText) throws(Failure) {
    let value = try input.json()
    func fault(_ what: String) -> Failure {
      Failure(
        .data, "\(input.name) is not a result of steps: \(what)",
        advice:
          #"{"steps_completed": ["NAME"], "steps_failed": [{"step": "NAME", "error": "WHY"}]}"#)
    }
    guard let members = value.members else { throw fault("it must be an object") }
    if let defect = Self.defect(in: members.map(\.key)) { throw fault(defect) }
    if let claim = value["has_failures"] {
      guard let claim = claim.bool else { throw fault("has_failures must be true or false") }
      claimsFailures = claim
    }
    if let level = value["enforcement_level"] {
      guard let level = level.string.flatMap(Enforcement.init) else {
        throw fault("enforcement_level must be strict, warn or off")
      }
      enforcement = level
    }
    if let name = value["workflow_name"], name != .null {
      guard let name = name.string else { throw fault("workflow_name must be a string") }
      workflow = name
    }
    let isOptional = claimsFailures == false
    guard let passed = (value["steps_completed"] ?? .array([])).elements else {
      throw fault("steps_completed must be an array")
    }
    guard let failures = (value["steps_failed"] ?? (isOptional ? .array([]) : .null)).elements
    else { throw fault("steps_failed must be an array") }
    var names: Set<String> = []
    func add(_ step: JSONValue, _ place: String) throws(Failure) -> String {
      guard let name = step.string ?? (step["step"] ?? step["name"])?.string, !name.isEmpty else {
        throw fault("\(place) must name a step")
      }
      guard names.insert(name).inserted else {
        throw fault("step \(Bytes(name).quotedForMessage) is given twice")
      }
      return name
    }
    for (index, step) in passed.enumerated() {
      completed.append(try add(step, "steps_completed[\(index)]"))
    }
    for (index, step) in failures.enumerated() {
      let name = try add(step, "steps_failed[\(index)]")
      let reason = step["error"] ?? .null
      guard let error = reason == .null ? "no reason given" : reason.string else {
        throw fault("steps_failed[\(index)].error must be a string")
      }
      failed.append(FailedStep(name: name, error: error))
    }
    if names.isEmpty, claimsFailures == nil { throw fault("it names no step") }
  }

  /// What is wrong with the names of a result's members, if anything is.
  private static func defect(in keys: [String]) -> String? {
    func letters(_ text: String) -> String { text.lowercased().filter(\.isLetter) }
    for (index, key) in keys.enumerated() {
      let name = Bytes(key).quotedForMessage
      if members.contains(key) {
        if keys[..<index].contains(key) { return "member \(name) is given twice" }
      } else if !otherMembers.contains(key),
        let near = nearest(to: letters(key), in: members.map(letters)),
        // A prefix of a name is near only if it is at least half of it.
        letters(key).count * 2 >= near.count,
        let member = members.first(where: { letters($0) == near })
      {
        return "unknown member \(name); did you mean '\(member)'?"
      }
    }
    return nil
  }
}
