import CommandLineTool
import JSON
import POSIX

/// What a gate has found out.
struct GateResult {
  /// A step that failed.
  struct FailedStep {
    let name: String
    /// Why, in a few words.
    let error: String
    /// Its exit code; nil when it was not in time, or when nobody said.
    var code: Int32?
    /// How long it took; nil when nobody said.
    var seconds: Double?
    /// What it printed at its end.
    var lastLines: [String] = []
  }

  /// The names of the steps that passed.
  var completed: [String] = []
  /// Those that failed.
  var failed: [FailedStep] = []
  /// The names of those that were not run.
  var skipped: [String] = []

  /// Writes its members into an object.
  func write(to json: inout JSONWriter) {
    func names(_ key: String, _ names: [String]) {
      json.key(key)
      json.array { json in for name in names { json.string(Bytes(name)) } }
    }
    names("steps_completed", completed)
    json.key("steps_failed")
    json.array { json in
      for step in failed {
        json.object { json in
          json.member("step", step.name)
          json.member("error", step.error)
          if let seconds = step.seconds {
            json.key("code")
            json.number(step.code.map { Int($0) })
            json.member("seconds", seconds)
          }
          if !step.lastLines.isEmpty {
            json.key("last_lines")
            json.array { json in for line in step.lastLines { json.string(Bytes(line)) } }
          }
        }
      }
    }
    if !skipped.isEmpty { names("steps_skipped", skipped) }
  }

  /// The failed steps in words, each with what it printed at its end.
  var failuresInWords: String {
    failed.map { step in
      let lines = step.lastLines.map { "\n  | " + Bytes($0).printable }.joined()
      return "step \(Bytes(step.name).quotedForMessage): \(Bytes(step.error).printable)" + lines
    }.joined(separator: "\n")
  }
}

extension GateResult {
  /// Reads the result of steps that something else has run:
  /// `{"steps_completed": ["NAME", …], "steps_failed": [{"step": "NAME", "error": "TEXT"}, …]}`.
  ///
  /// What is misspelt must not pass for a result without failures, so both members have to be there,
  /// and at least one step.
  init(reading input: InputText) throws(Failure) {
    let value = try input.json()
    func fault(_ what: String) -> Failure {
      Failure(
        .data, "\(input.name) is no result of steps: \(what)",
        advice:
          #"{"steps_completed": ["NAME"], "steps_failed": [{"step": "NAME", "error": "WHY"}]}"#)
    }
    guard let passed = value["steps_completed"]?.elements else {
      throw fault("steps_completed is to be an array")
    }
    guard let failures = value["steps_failed"]?.elements else {
      throw fault("steps_failed is to be an array")
    }
    var names: Set<String> = []
    func add(_ name: String?, _ place: String) throws(Failure) -> String {
      guard let name, !name.isEmpty else { throw fault("\(place) is to name a step") }
      guard names.insert(name).inserted else {
        throw fault("step \(Bytes(name).quotedForMessage) is there twice")
      }
      return name
    }
    for (index, step) in passed.enumerated() {
      completed.append(try add(step.string, "steps_completed[\(index)]"))
    }
    for (index, step) in failures.enumerated() {
      let name = try add(step["step"]?.string, "steps_failed[\(index)].step")
      guard let error = step["error"]?.string else {
        throw fault("steps_failed[\(index)].error is to be a text")
      }
      failed.append(FailedStep(name: name, error: error))
    }
    if names.isEmpty { throw fault("it names no step") }
  }
}
