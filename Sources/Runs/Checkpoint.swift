// Checkpoints
//
// The checkpoint of a run is RUN/checkpoint.json; the one before it is
// RUN/checkpoint.previous.json.
//
// A writer takes flock(2) on RUN itself and reads the checkpoint. It gives that file the second
// name, too, replaces the first one with a new file (AtomicFile), and synchronizes the directory.
// So writers take turns, and none overwrites what it has not seen. Readers take no lock.
//
// A crash leaves both files whole. Before the replacement both names belong to one file, the old
// state; after it, the first one belongs to the new state. A power failure may undo either step:
// the checkpoint is then the old one or the new one, and the previous one is whole. The next writer
// removes what a crash left of a file that was being written: under the lock, it belongs to nobody
// else.
//
// The previous checkpoint is the old file itself, so nobody gains permission to read it.
//
// A file that got damaged is passed over: then the previous one counts, and stays.

import JSON
import POSIX

/// The state from which a run resumes: a JSON object in the run's directory.
public struct CheckpointStore: Sendable {
  /// The directory of the run.
  public let run: Path

  private static let name = Bytes("checkpoint.json")
  private static let previousName = Bytes("checkpoint.previous.json")
  /// The version of the format.
  public static let version = 1
  /// The members that only the store writes.
  public static let ownKeys = ["version", "run_id", "saved_at"]

  /// The store for the run in this directory.
  public init(_ run: Path) {
    self.run = run
  }

  /// A checkpoint.
  public struct Contents: Sendable {
    /// The members of the object.
    public let members: [JSONValue.Member]
    /// The text of the file.
    public let text: Bytes
    /// The damaged file, if this is the previous checkpoint instead.
    public let damaged: Path?
  }

  /// Reads the checkpoint, or the previous one if that is damaged. Returns nil if there is none.
  public func load() throws(CheckpointError) -> Contents? {
    let path = run.appending(Self.name)
    let first = try read(path)
    if case .whole(let members, let text) = first {
      return Contents(members: members, text: text, damaged: nil)
    }
    let previous = try read(run.appending(Self.previousName))
    switch (first, previous) {
    case (.missing, .missing): return nil
    // What an older program makes of an older state must not overwrite it.
    case (.newer(let error), _): throw .damaged(path, error)
    case (_, .newer(let error)): throw .damaged(run.appending(Self.previousName), error)
    case (.damaged, .whole(let members, let text)):
      return Contents(members: members, text: text, damaged: path)
    case (.missing, .whole(let members, let text)):
      // No save leaves this behind, so somebody removed the file.
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

  private func read(_ path: Path) throws(CheckpointError) -> State {
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
        return .damaged(JSONError(offset: 0, message: "it lacks version or run_id"))
      }
      return .whole(members, text)
    } catch {
      return .damaged(error)
    }
  }

  /// Saves a checkpoint. The directory of the run must exist.
  ///
  /// - Parameters:
  ///   - deadline: How long to wait for other writers.
  ///   - change: Returns the new members, given the old ones, or nil to save nothing.
  /// - Returns: The damaged file, if `change` was given the previous checkpoint instead.
  @discardableResult
  public func save(
    until deadline: Instant, _ change: ([JSONValue.Member]) -> [JSONValue.Member]?
  ) throws(CheckpointError) -> Path? {
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
      // A damaged file must not replace the previous one, which is whole.
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

  /// Removes the checkpoint and the previous one.
  ///
  /// - Returns: Whether there was one.
  public func clear(until deadline: Instant) throws(CheckpointError) -> Bool {
    let lock = try lock(until: deadline)
    var found = false
    do throws(SystemError) {
      try AtomicFile.removeLeftovers(of: [Self.name, Self.previousName], in: lock)
      // The previous one goes first, or else a crash in between would bring it back.
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

  /// The directory of the run, locked as long as the descriptor lives.
  private func lock(until deadline: Instant) throws(CheckpointError) -> Descriptor {
    do throws(SystemError) {
      let directory = try Descriptor(opening: run, .directory)
      try directory.takeLock(until: deadline)
      return directory
    } catch {
      throw .system(error)
    }
  }

  /// An id: the name of the directory, and the time.
  private func newID() -> String {
    String(decoding: run.lastComponent, as: UTF8.self) + "-" + WallTime.now.stamp
  }
}

/// Why a checkpoint cannot be read or saved.
public enum CheckpointError: Error {
  /// A call failed.
  case system(SystemError)
  /// The file is damaged, and there is no whole previous one.
  case damaged(Path, JSONError)
}
