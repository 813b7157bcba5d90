import CommandLine
import JSON
import POSIX
import Runs

/// The log to which commands add an event for what they have done.
struct RunLog {
  private let path: Path

  /// Opens the log at `path`, so that a log that cannot be written fails before anything is done.
  init(_ path: Path) throws(Failure) {
    self.path = path
    _ = try queue()
  }

  /// Opens the log of the run in this directory.
  init(of run: Path) throws(Failure) {
    try self.init(run.appending("events.jsonl"))
  }

  /// The LOG on the command line.
  static func path(_ word: Bytes) throws(Failure) -> Path {
    if word.isEmpty {
      throw .emptyString("LOG")
    }
    return Path(word)
  }

  /// Adds an event of this name with these members, and has it on disk.
  func add(_ event: String, _ members: (inout JSONWriter) -> Void) throws(Failure) {
    var json = JSONWriter(.compact)
    json.object { json in
      json.member("event", event)
      json.member("at", WallTime.now.rfc3339)
      members(&json)
    }
    var queue = try queue()
    do throws(EventError) { try queue.add(json.text[...]) } catch {
      throw Failure(error, what: "the event")
    }
  }

  private func queue() throws(Failure) -> EventQueue {
    try attempt(EventQueue(path, .each, batch: 1, linger: .zero), otherwise: .cannotCreate)
  }
}
