import CommandLine
import JSON
import POSIX

/// What a run of allocations does.
struct StressRequest {
  /// The number of iterations; nil if only time limits them.
  var iterations: Int?
  var processes: Int
  /// Whether the crash matrix sets the number of iterations.
  var isWholeMatrix = false
  /// The time limit in nanoseconds; nil for none.
  var duration: UInt64?
  /// The root to number in; nil for fresh ones in a temporary directory.
  var root: Path?
  /// The words of each allocator; nil for `topic-alloc`.
  var allocators: [Bytes?] = [nil]
  /// Where numbers are unique; nil for one root.
  var scope: SharedScope?
  /// The number of work trees or clones that share a scope.
  var clones = 8
  /// Whether git-daemon(1) serves the remote.
  var isServed = false
  var chaos: [ChaosKind] = []
  var seed: UInt64 = 0
  /// The number of iterations in a stretch, which is judged as a whole and has a root of its own.
  var judgeEvery = 100
  /// Nanoseconds after which a process counts as hung.
  var timeout: UInt64

  static let defaultTimeout: UInt64 = 60_000_000_000

  /// Reads the options of a new run.
  init(_ arguments: Arguments) throws(Failure) {
    duration = try arguments.minutes()
    iterations = duration == nil ? 100 : nil
    if let count = arguments.value(of: "iterations") {
      let isEndless = [Bytes("unlimited"), Bytes("unbounded")].contains(count)
      iterations = try isEndless ? nil : arguments.number("iterations", in: 1...1_000_000_000)
    }
    processes = try arguments.processes()
    root = arguments.value(of: "root").map { Path($0) }
    if root?.bytes.isEmpty == true { throw .emptyString("--root") }
    if let root, String(validating: root.bytes, as: UTF8.self) == nil {
      throw Failure(
        .data, "cannot record \(root.bytes.quotedForMessage): it is not UTF-8",
        advice: "choose another root")
    }
    allocators = [arguments.value(of: "allocator")] + arguments.values(of: "mix")
    chaos = try arguments.chaos(among: ChaosKind.allCases)
    seed = try arguments.seed()
    judgeEvery = try arguments.number("judge-every", in: 1...1_000_000) ?? judgeEvery
    timeout = try arguments.hangTimeout()
    if timeout == 0 { throw .usage("with --timeout 0, every process would count as hung") }
    isWholeMatrix =
      chaos.contains(.syscallKill) && duration == nil && !arguments.has("iterations")
    try readScope(arguments)
    if root != nil, chaos.contains(.full) {
      throw .usage("--chaos full mounts its own file system, so it excludes --root")
    }
  }

  private mutating func readScope(_ arguments: Arguments) throws(Failure) {
    scope = try arguments.choice("scope", of: SharedScope.self)
    clones = try arguments.number("clones", in: 1...1_000) ?? clones
    isServed = arguments.has("serve")
    if isServed, scope != .remote { throw .usage("--serve needs --scope remote") }
    for kind in chaos where !kind.goes(with: scope, isServed: isServed) {
      throw .usage(
        "--chaos \(kind.rawValue) does not go with this scope",
        advice: "kill and syscall-kill go with all, slow with --scope remote, daemon with --serve")
    }
    guard scope != nil else {
      if arguments.has("clones") { throw .usage("--clones needs --scope") }
      return
    }
    if root != nil { throw .usage("--scope creates its own roots, so it excludes --root") }
    if allocators.count > 1 { throw .usage("--mix and --scope exclude each other") }
  }

  /// The command that repeats this run, `--seed` included.
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
    if timeout != Self.defaultTimeout { add("timeout", Bytes("\(Double(timeout) / 1e9)")) }
    return words
  }

  /// A description that runs share if they can be compared.
  var configuration: String {
    let names = allocators.map { $0.map { String(decoding: $0, as: UTF8.self) } ?? "topic-alloc" }
    let disturbance = chaos.isEmpty ? "" : " under " + chaos.map(\.rawValue).joined(separator: ",")
    let place = scope.map { ", \($0.rawValue)\(isServed ? " served" : "") x \(clones)" } ?? ""
    return "\(names.joined(separator: " + "))\(place), \(processes) at once\(disturbance)"
  }
}

extension StressRequest {
  /// Reads the request of an earlier run; nil if it is incomplete.
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

  /// Writes an object that ``init(_:)`` reads back.
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
