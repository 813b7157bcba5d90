import CommandLine
import JSON
import POSIX

/// Which model is tried after which one.
struct FallbackChain {
  private let next: [String: String]

  /// The default chain, from the slow and expensive models to the cheapest.
  static let standard = FallbackChain(next: [
    "gpt-5-pro": "gpt-5-mini-2025-08-07", "gpt-5-2025": "gpt-5-mini-2025-08-07",
    "gpt-5-mini-2025-08-07": "gpt-5-nano",
  ])

  private init(next: [String: String]) {
    self.next = next
  }

  /// The model to try after `model`, if there is one.
  subscript(model: String) -> String? { next[model] }

  /// Reads chains from a file: `{"chains": {"MODEL": "NEXT", …}}`. A NEXT of `null` ends a chain.
  init(reading path: Bytes) throws(Failure) {
    let input = try InputText(reading: path)
    guard let members = try input.json()["chains"]?.members else {
      throw Failure(
        .data, "\(input.name): expected an object with the member chains",
        advice: #"such as {"chains": {"MODEL": "NEXT"}}"#)
    }
    var next: [String: String] = [:]
    for member in members where member.value != .null {
      guard let model = member.value.string, !model.isEmpty else {
        throw Failure(
          .data, "\(input.name): what follows \(Bytes(member.key).quotedForMessage) must be a model"
        )
      }
      if next.updateValue(model, forKey: member.key) != nil {
        throw Failure(
          .data, "\(input.name): \(Bytes(member.key).quotedForMessage) is followed by two models")
      }
    }
    self.next = next
    if let cycle = cycle(from: members.map(\.key)) {
      let path = cycle.map { Bytes($0).printable }.joined(separator: " → ")
      throw Failure(
        .data, "\(input.name): the models follow each other in a circle: \(path)",
        advice: "leave the last model without a next one")
    }
  }

  /// The first circle, with its first model at both ends.
  private func cycle(from models: [String]) -> [String]? {
    var harmless: Set<String> = []
    for start in models {
      var path: [String] = []
      var model: String? = start
      while let current = model, !harmless.contains(current) {
        if let place = path.firstIndex(of: current) { return path[place...] + [current] }
        path.append(current)
        model = next[current]
      }
      harmless.formUnion(path)
    }
    return nil
  }
}
