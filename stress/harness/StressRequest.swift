import CommandLine
import JSON
import POSIX

/// What a run is to do.
struct StressRequest {
  /// How many iterations; nil for as many as the time allows.
  var iterations: Int?
  var processes = 10
  /// Whether there are to be as many as the crash matrix has places.
  var isWholeMatrix = false
  /// Nanoseconds that the run may take; nil for no bound.
  var duration: UInt64?
  /// The root to number in; nil for fresh ones in a temporary directory.
  var root: Path?
  /// The words of each allocator; nil for `topic-alloc`.
  var allocators: [Bytes?] = [nil]
  /// Among whom numbers are unique; nil for those who share a root.
  var scope: SharedScope?
  /// How many work trees or clones share the numbers of a scope.
  var clones = 8
  /// Whether the remote is served by git-daemon(1), not found by its path.
  var isServed = false
  var chaos: [ChaosKind] = []
  var seed: UInt64 = 0
  /// After how many iterations a stretch is judged and a fresh root begun.
  var judgeEvery = 100
  /// Nanoseconds after which a process counts as hung.
  var timeout: UInt64 = 60_000_000_000

  static let options: [Option] = [
    Option("iterations", "n", takesValue: true), Option("processes", "p", takesValue: true),
    Option("minutes", "m", takesValue: true), Option("root", takesValue: true),
    Option("allocator", "a", takesValue: true), Option("mix", takesValue: true),
    Option("chaos", "c", takesValue: true), Option("seed", "s", takesValue: true),
    Option("judge-every", takesValue: true), Option("timeout", "w", takesValue: true),
    Option("scope", takesValue: true), Option("clones", takesValue: true), Option("serve"),
  ]

  /// Reads the options of a new run.
  init(_ arguments: Arguments) throws(Failure) {
    duration = try arguments.minutes("minutes")
    iterations = duration == nil ? 100 : nil
    if let count = arguments.value(of: "iterations") {
      let isEndless = [Bytes("unlimited"), Bytes("unbounded")].contains(count)
      iterations = try isEndless ? nil : arguments.number("iterations", in: 1...1_000_000_000)
    }
    processes = try arguments.number("processes", in: 1...1_000) ?? processes
    root = arguments.value(of: "root").map { Path($0) }
    if root?.bytes.isEmpty == true { throw .usage("the root is empty") }
    if let root, String(validating: root.bytes, as: UTF8.self) == nil {
      throw Failure(
        .data, "cannot write \(root.bytes.quotedForMessage) into JSON: it is not UTF-8",
        advice: "choose another root")
    }
    allocators = [arguments.value(of: "allocator")] + arguments.values(of: "mix")
    for list in arguments.values(of: "chaos") {
      for word in list.split(separator: UInt8(ascii: ",")) {
        guard let kind = ChaosKind(rawValue: String(decoding: word, as: UTF8.self)) else {
          throw .unknown("chaos", Bytes(word), ChaosKind.allCases.map(\.rawValue))
        }
        if !chaos.contains(kind) { chaos.append(kind) }
      }
    }
    seed = UInt64(
      try arguments.number("seed", in: 0...Int.max) ?? Int.random(in: 0..<1_000_000_000))
    judgeEvery = try arguments.number("judge-every", in: 1...1_000_000) ?? judgeEvery
    timeout = try arguments.seconds("timeout") ?? timeout
    if timeout == 0 { throw .usage("--timeout 0 would have every process hang") }
    isWholeMatrix =
      chaos.contains(.syscallKill) && duration == nil && !arguments.has("iterations")
    try readScope(arguments)
    if root != nil, chaos.contains(.full) {
      throw .usage("--chaos full mounts a file system of its own, so it goes without --root")
    }
  }

  private mutating func readScope(_ arguments: Arguments) throws(Failure) {
    scope = try arguments.choice("scope", of: SharedScope.self)
    clones = try arguments.number("clones", in: 1...1_000) ?? clones
    isServed = arguments.has("serve")
    if isServed, scope != .remote { throw .usage("--serve goes with --scope remote") }
    for kind in chaos where !kind.goes(with: scope, isServed: isServed) {
      throw .usage(
        "--chaos \(kind.rawValue) does not go with this scope",
        advice: "kill and syscall-kill go with all, slow with --scope remote, daemon with --serve")
    }
    guard scope != nil else {
      if arguments.has("clones") { throw .usage("--clones goes with --scope") }
      return
    }
    if root != nil { throw .usage("--scope makes roots of its own, so it goes without --root") }
    if allocators.count > 1 { throw .usage("--mix goes without --scope") }
  }

  /// The options that ask for this run again, `--seed` included.
  var words: [Bytes] {
    var words = [Bytes("topic-stress")]
    func add(_ option: String, _ value: Bytes) {
      words += [Bytes("--\(option)"), value.quotedForShell]
    }
    add("iterations", Bytes(iterations.map { String($0) } ?? "unlimited"))
    if let duration { add("minutes", Bytes("\(Double(duration) / 60e9)")) }
    add("processes", Bytes("\(processes)"))
    if let root { add("root", root.bytes) }
    for (index, allocator) in allocators.enumerated() {
      if let allocator { add(index == 0 ? "allocator" : "mix", allocator) }
    }
    if let scope {
      add("scope", Bytes(scope.rawValue))
      add("clones", Bytes("\(clones)"))
      if isServed { words.append(Bytes("--serve")) }
    }
    if !chaos.isEmpty { add("chaos", Bytes(chaos.map(\.rawValue).joined(separator: ","))) }
    add("seed", Bytes("\(seed)"))
    if judgeEvery != 100 { add("judge-every", Bytes("\(judgeEvery)")) }
    if timeout != 60_000_000_000 { add("timeout", Bytes("\(Double(timeout) / 1e9)")) }
    return words
  }

  /// What the runs have in common that can be set against each other.
  var configuration: String {
    let names = allocators.map { $0.map { String(decoding: $0, as: UTF8.self) } ?? "topic-alloc" }
    let disturbance = chaos.isEmpty ? "" : " under " + chaos.map(\.rawValue).joined(separator: ",")
    let place = scope.map { ", \($0.rawValue)\(isServed ? " served" : "") x \(clones)" } ?? ""
    return "\(names.joined(separator: " + "))\(place), \(processes) at once\(disturbance)"
  }
}

extension StressRequest {
  /// Reads the request of an earlier run; nil when it is not complete.
  init?(_ json: JSONValue) {
    let limits = 1...1 << 60
    guard let processes = json["processes"]?.integer(in: 1...1_000),
      let allocators = json["allocators"]?.elements, !allocators.isEmpty,
      let chaos = json["chaos"]?.elements, let seed = json["seed"]?.integer(in: 0...Int.max),
      let judgeEvery = json["judge_every"]?.integer(in: 1...1 << 40),
      let timeout = json["timeout_ns"]?.integer(in: limits),
      // Either may be null.
      ["duration_ns", "iterations"].compactMap({ json[$0] }).allSatisfy({
        $0 == .null || $0.integer(in: limits) != nil
      })
    else { return nil }
    iterations = json["iterations"]?.integer
    duration = json["duration_ns"]?.integer.map { UInt64($0) }
    root = json["root"]?.string.map { Path($0) }
    self.processes = processes
    self.allocators = allocators.map { $0.string.map { Bytes($0) } }
    self.chaos = chaos.compactMap { $0.string.flatMap { ChaosKind(rawValue: $0) } }
    scope = json["scope"]?.string.flatMap { SharedScope(rawValue: $0) }
    clones = min(max(json["clones"]?.integer ?? 1, 1), 1_000)
    isServed = json["served"]?.bool ?? false
    self.seed = UInt64(seed)
    self.judgeEvery = judgeEvery
    self.timeout = UInt64(timeout)
  }

  /// Writes it so that it can be read back.
  func write(to json: inout JSONWriter) {
    json.object { json in
      json.key("iterations")
      json.number(iterations)
      json.key("duration_ns")
      json.number(duration.map { Int($0) })
      json.member("processes", processes)
      if let root { json.member("root", root.bytes) }
      if let scope {
        json.member("scope", scope.rawValue)
        json.member("clones", clones)
        json.member("served", isServed)
      }
      json.key("allocators")
      json.array { json in
        for allocator in allocators {
          if let allocator { json.string(allocator) } else { json.value(.null) }
        }
      }
      json.key("chaos")
      json.array { json in for kind in chaos { json.string(Bytes(kind.rawValue)) } }
      json.member("seed", Int(seed))
      json.member("judge_every", judgeEvery)
      json.member("timeout_ns", Int(timeout))
    }
  }
}

extension Arguments {
  /// The value of an option that is a time in minutes, in nanoseconds.
  fileprivate func minutes(_ name: String) throws(Failure) -> UInt64? {
    guard let value = value(of: name) else { return nil }
    guard let minutes = Double(String(decoding: value, as: UTF8.self)), minutes > 0, minutes < 1e6
    else {
      throw .usage("--\(name) takes minutes, such as 10 or 0.5, not \(value.quotedForMessage)")
    }
    return UInt64(minutes * 60e9)
  }
}
