// Checkpoints
//
// What is there: RUN/checkpoint.json, and beside it checkpoint.previous.json, the one before.
//
// A writer takes flock(2) on RUN itself and reads what is there. It gives that file the name of the previous
// one, too, and then puts a new file in its place (AtomicFile); at the end the directory is put on the disk.
// So writers follow one another, and none overwrites what it has not seen. Readers take no lock.
//
// After a crash: both files are whole. Before the second step both names are of one file, the old state;
// after it, the new one is there. After a power failure each of the two steps may be undone: the checkpoint
// is the old one or the new one, and the previous one is whole. What a crash leaves of a file that was being
// written is removed by the next writer, which knows under the lock that it belongs to nobody.
//
// As the previous one is the old file itself, it is readable to nobody else.
//
// A file that others damaged is passed over: then the previous one counts, and stays.

import JSON
import POSIX

/// The state from which a run goes on, a JSON object in the run's directory.
public struct CheckpointStore: Sendable {
  /// The directory of the run.
  public let run: Path

  private static let name = Bytes("checkpoint.json")
  private static let previousName = Bytes("checkpoint.previous.json")
  /// The version of the format.
  public static let version = 1
  /// Members that are written by the store, whatever is given.
  public static let ownKeys = ["version", "run_id", "saved_at"]

  /// The checkpoint of the run in this directory.
  public init(_ run: Path) {
    self.run = run
  }

  /// What is there.
  public struct Contents: Sendable {
    /// The members of the object.
    public let members: [JSONValue.Member]
    /// The text of the file.
    public let text: Bytes
    /// The file that was damaged, when this is the one before.
    public let damaged: Path?
  }

  /// Why there is no checkpoint to be had.
  public enum Failure: Error {
    /// A call failed.
    case system(SystemError)
    /// The file and the one before it are damaged.
    case damaged(Path, JSONError)
    /// Another process held the run until the time was up.
    case busy(Path)
  }

  /// The checkpoint, or the one before it when that is damaged; nil when there is none.
  public func load() throws(Failure) -> Contents? {
    let path = run.appending(Self.name)
    let first = try read(path)
    if case .whole(let members, let text) = first {
      return Contents(members: members, text: text, damaged: nil)
    }
    let previous = try read(run.appending(Self.previousName))
    switch (first, previous) {
    case (.missing, .missing): return nil
    // It must not be overwritten by what an older program makes of an older state.
    case (.newer(let error), _): throw .damaged(path, error)
    case (_, .newer(let error)): throw .damaged(run.appending(Self.previousName), error)
    case (.damaged, .whole(let members, let text)):
      return Contents(members: members, text: text, damaged: path)
    case (.missing, .whole(let members, let text)):
      // Between the two steps of a first save there is nothing, so others removed it.
      return Contents(members: members, text: text, damaged: path)
    case (.damaged(let error), _): throw .damaged(path, error)
    case (_, .damaged(let error)): throw .damaged(run.appending(Self.previousName), error)
    default: return nil
    }
  }

  private enum State {
    case missing
    case damaged(JSONError)
    case newer(JSONError)
    case whole([JSONValue.Member], Bytes)
  }

  private func read(_ path: Path) throws(Failure) -> State {
    let text: Bytes
    do throws(SystemError) {
      text = try path.maintainedContents()
    } catch {
      if error.errno == .notFound { return .missing }
      throw .system(error)
    }
    do throws(JSONError) {
      guard let members = try JSONValue(parsing: text).members else {
        return .damaged(JSONError(offset: 0, message: "expected an object"))
      }
      let value = JSONValue.object(members)
      if case .number(let digits)? = value["version"], let version = Double(digits),
        version > Double(Self.version)
      {
        return .newer(
          JSONError(offset: 0, message: "version \(digits), which is newer than this program"))
      }
      guard value["version"]?.integer == Self.version, value["run_id"]?.string != nil else {
        return .damaged(JSONError(offset: 0, message: "no version, or no run_id"))
      }
      return .whole(members, text)
    } catch {
      return .damaged(error)
    }
  }

  /// Saves a checkpoint: what `change` makes of the members that are there, none when there is no
  /// checkpoint yet; nothing when that is nil. Waits for other writers until `deadline`. RUN must exist.
  /// Returns the file that was damaged, when the one before it was taken.
  @discardableResult
  public func save(
    until deadline: Instant, _ change: ([JSONValue.Member]) -> [JSONValue.Member]?
  ) throws(Failure) -> Path? {
    let lock = try lock(until: deadline)
    let old = try load()
    guard let changed = change(old?.members ?? []) else { return old?.damaged }
    var members = changed.filter { !Self.ownKeys.contains($0.key) }
    let id = old?.members.last { $0.key == "run_id" }?.value.string
    members =
      [
        JSONValue.Member("version", .number("\(Self.version)")),
        JSONValue.Member("run_id", .string(id ?? newID())),
        JSONValue.Member("saved_at", .string(WallTime.now.rfc3339)),
      ] + members
    var json = JSONWriter(.indented)
    json.value(.object(members))
    json.endLine()
    do throws(SystemError) {
      try AtomicFile.removeLeftovers(of: [Self.name, Self.previousName], in: lock)
      // What is damaged is not kept in place of the one before it, which is whole.
      if let old, old.damaged == nil {
        try AtomicFile.keep(Self.name, as: Self.previousName, in: lock)
      }
      try AtomicFile.replace(Self.name, in: lock, with: json.text)
      try lock.synchronize()
    } catch {
      throw .system(error)
    }
    return old?.damaged
  }

  /// Removes the checkpoint and the one before it; whether there was one.
  public func clear(until deadline: Instant) throws(Failure) -> Bool {
    let lock = try lock(until: deadline)
    var found = false
    do throws(SystemError) {
      try AtomicFile.removeLeftovers(of: [Self.name, Self.previousName], in: lock)
      // The previous one first: a crash in between must not bring it back.
      for name in [Self.previousName, Self.name] {
        do throws(SystemError) {
          try lock.removeFile(name)
          found = true
        } catch {
          if error.errno != .notFound { throw error }
        }
      }
      try lock.synchronize()
    } catch {
      throw .system(error)
    }
    return found
  }

  /// The directory of the run, locked until the value ends.
  private func lock(until deadline: Instant) throws(Failure) -> Descriptor {
    do throws(SystemError) {
      let directory = try Descriptor(opening: run, .directory)
      if try directory.lock(until: deadline) { return directory }
    } catch {
      throw .system(error)
    }
    throw .busy(run)
  }

  /// The name of the directory and the time.
  private func newID() -> String {
    let stamp = WallTime.now.rfc3339.filter { $0 != "-" && $0 != ":" }
    return String(decoding: run.lastComponent, as: UTF8.self) + "-" + stamp
  }
}
