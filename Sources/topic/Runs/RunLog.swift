import CommandLine
import JSON
import POSIX
import Runs

/// The log of a run, to which commands add what they have done, an event a line.
struct RunLog {
  private let path: Path

  /// The log at `path`; an error when it cannot be written, before anything is done.
  init(_ path: Path) throws(Failure) {
    self.path = path
    do throws(SystemError) {
      _ = try EventQueue(path, .each, batch: 1, linger: 0)
    } catch {
      throw Failure(error, otherwise: .cannotCreate)
    }
  }

  /// The log of the run in this directory.
  init(of run: Path) throws(Failure) {
    try self.init(run.appending("events.jsonl"))
  }

  /// Adds the event of this name with these members, and has it on the disk.
  func add(_ event: String, _ members: (inout JSONWriter) -> Void) throws(Failure) {
    var json = JSONWriter(.compact)
    json.object { json in
      json.member("event", event)
      json.member("at", WallTime.now.rfc3339)
      members(&json)
    }
    var queue: EventQueue
    do throws(SystemError) {
      queue = try EventQueue(path, .each, batch: 1, linger: 0)
    } catch {
      throw Failure(error, otherwise: .cannotCreate)
    }
    do throws(EventError) { try queue.add(json.text[...]) } catch {
      throw Failure(error, what: "the event")
    }
  }
}
