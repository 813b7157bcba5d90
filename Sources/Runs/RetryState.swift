import JSON
import POSIX

/// How often a review sent a piece of work back, and with what feedback.
///
/// This is the member `retry` of a run's checkpoint, and ``CheckpointStore`` protects it.
public struct RetryState: Hashable, Sendable {
  /// What a review says.
  public enum Status: String, CaseIterable, Sendable {
    /// The work is done.
    case approved
    /// The work goes back with feedback.
    case needsChanges = "needs_changes"
  }

  /// The member of the checkpoint that holds it.
  public static let key = "retry"

  /// The highest count of rounds.
  public static let mostRounds = 1_000_000_000

  /// The number of rounds since the last approval, at most ``mostRounds``.
  public private(set) var rounds = 0
  /// How many of the last rounds in a row had the same feedback.
  public private(set) var identical = 0
  /// The digest of the last feedback; nil before the first round and after an approval.
  public private(set) var feedbackDigest: String?
  /// What the last review said; nil before the first one.
  public private(set) var status: Status?

  /// The state before the first round.
  public init() {}

  /// Reads the state in a checkpoint. If the member is missing or null, this is the state before
  /// the first round. Returns nil if the member is not a valid state.
  public init?(in members: [JSONValue.Member]) {
    guard let value = members.last(where: { $0.key == Self.key })?.value, value != .null else {
      return
    }
    guard let rounds = value["rounds"]?.integer(in: 0...Self.mostRounds),
      let identical = value["identical"]?.integer(in: 0...rounds),
      let status = value["status"]?.string.flatMap(Status.init)
    else { return nil }
    (self.rounds, self.identical, self.status) = (rounds, identical, status)
    feedbackDigest = value["feedback_sha256"]?.string
  }

  /// The member of the checkpoint.
  public var json: JSONValue {
    .object([
      JSONValue.Member("rounds", .number("\(rounds)")),
      JSONValue.Member("identical", .number("\(identical)")),
      JSONValue.Member("feedback_sha256", feedbackDigest.map { .string($0) } ?? .null),
      JSONValue.Member("status", status.map { .string($0.rawValue) } ?? .null),
    ])
  }

  /// Adds what a review says. An approval resets the round counter.
  public mutating func add(_ status: Status, _ feedback: [Bytes]) {
    if status == .approved {
      self = RetryState()
    } else {
      let digest = Self.digest(of: feedback)
      rounds = min(rounds + 1, Self.mostRounds)
      identical = digest == feedbackDigest ? min(identical + 1, rounds) : 1
      feedbackDigest = digest
    }
    self.status = status
  }

  /// The SHA-256 digest of the texts, in whatever order they are. White space around texts and
  /// empty texts do not count. Each text is preceded by its length, because two texts differ from
  /// one.
  public static func digest(of feedback: [Bytes]) -> String {
    let texts = feedback.map(trimmed).filter { !$0.isEmpty }
    var hash = SHA256()
    for text in texts.sorted(by: { $0.lexicographicallyPrecedes($1) }) {
      hash.add(Bytes("\(text.count):"))
      hash.add(text)
    }
    return hash.hexadecimal()
  }

  private static func trimmed(_ text: Bytes) -> ArraySlice<UInt8> {
    func isSpace(_ byte: UInt8) -> Bool { byte == 0x20 || (0x09...0x0D).contains(byte) }
    var rest = text[...].drop(while: isSpace)
    while let last = rest.last, isSpace(last) { rest.removeLast() }
    return rest
  }
}
