import JSON
import POSIX

/// Events on their way into a log, each a JSON value on a line of its own.
///
/// Events wait until a batch is full or the oldest has waited long enough; one write(2) then
/// appends them. Memory is bounded: events are written once they reach ``mostWaiting`` bytes, and
/// an event longer than ``LineFile/longestLine`` is an error. The log is a ``LineFile``, so any
/// number of processes append to it without a lock, and a writer that dies loses at most its own
/// last event.
public struct EventQueue: ~Copyable {
  /// When fsync(2) puts events on disk.
  public enum Synchronization: String, CaseIterable, Sendable {
    /// After each event, before the next one is written.
    case each
    /// After each batch.
    case batch
    /// Whenever the system decides.
    case never
  }

  /// Counts of what a queue did.
  public struct Statistics: Sendable {
    /// Events that were added.
    public fileprivate(set) var queued = 0
    /// Events that were written.
    public fileprivate(set) var written = 0
    /// Writes.
    public fileprivate(set) var batches = 0
    /// Texts that are not events, and writes that failed.
    public fileprivate(set) var errors = 0
    /// Lines that the queue ended while other processes were still writing them.
    public fileprivate(set) var brokenLines = 0
  }

  /// So many waiting bytes are written, even if the batch is not full.
  private static let mostWaiting = 1 << 20

  /// Whether only JSON objects are events.
  public var requiresObjects = false
  private let path: Path
  private var log: LineFile
  private let synchronization: Synchronization
  private let batch: Int
  private let linger: Duration
  private var waiting = Bytes()
  private var oldest = Instant.now
  /// The number of events that wait.
  public private(set) var count = 0
  /// Counts of what the queue did so far.
  public private(set) var statistics = Statistics()

  /// Opens the log at `path`. It is created if it is missing, and so are the directories above it.
  ///
  /// - Parameters:
  ///   - batch: How many events one write appends.
  ///   - linger: The time after which a waiting event is written with fewer others.
  public init(
    _ path: Path, _ synchronization: Synchronization, batch: Int, linger: Duration
  ) throws(SystemError) {
    try path.parent.makeDirectoryWithParents()
    log = try LineFile(opening: path)
    self.path = path
    self.synchronization = synchronization
    self.batch = synchronization == .each ? 1 : batch
    self.linger = linger
  }

  /// Adds the event that `text` spells, and writes the batch if it is full. An event on several
  /// lines is put on one, and a byte order mark at the beginning is left out.
  public mutating func add(_ text: ArraySlice<UInt8>) throws(EventError) {
    let text = text.withoutByteOrderMark
    do throws(EventError) { try check(text) } catch {
      statistics.errors += 1
      throw error
    }
    if count == 0 { oldest = .now }
    // In JSON, line breaks stand only between tokens, never within a string.
    waiting += text.lazy.map { $0 == .newline || $0 == 0x0D ? 0x20 : $0 }
    waiting.append(.newline)
    count += 1
    statistics.queued += 1
    if count >= batch || waiting.count >= Self.mostWaiting { try flush() }
  }

  /// Adds the event that a line of input spells.
  public mutating func add(_ line: LineSplitter.Line) throws(EventError) {
    switch line {
    case .text(let text): try add(text)
    case .tooLong:
      statistics.errors += 1
      throw .tooLong
    }
  }

  private func check(_ text: ArraySlice<UInt8>) throws(EventError) {
    if text.count > LineFile.longestLine { throw .tooLong }
    let isObject: Bool
    do throws(JSONError) { isObject = try JSONValue.check(text) } catch { throw .json(error) }
    if requiresObjects, !isObject { throw .noObject }
  }

  /// The time until the waiting events must be written; nil if none waits.
  public var timeLeft: Duration? {
    count == 0 ? nil : oldest + linger - .now
  }

  /// Writes all waiting events. An error drops them, because some may be in the log already, and a
  /// second attempt would repeat those.
  public mutating func flush() throws(EventError) {
    if count == 0 { return }
    do throws(SystemError) {
      // After a rotation, the path belongs to another file.
      if try !log.isFile(at: path) { log = try LineFile(opening: path) }
      // A writer that never ends its line would delay every batch.
      let patience = Duration.milliseconds(statistics.brokenLines == 0 ? 1_000 : 10)
      if try log.append(waiting, patience: patience) { statistics.brokenLines += 1 }
      statistics.batches += 1
      statistics.written += count
      (count, waiting) = (0, [])
      if synchronization != .never { try log.synchronize() }
    } catch {
      statistics.errors += 1
      (count, waiting) = (0, [])
      throw .system(error)
    }
  }
}

/// Why an event is not in the log.
public enum EventError: Error, Sendable {
  /// It is not a JSON value.
  case json(JSONError)
  /// It is a JSON value, but not an object.
  case noObject
  /// It is longer than ``LineFile/longestLine``.
  case tooLong
  /// It could not be written, or not be put on disk.
  case system(SystemError)
}
