import JSON
import POSIX

/// Events on their way into a log, one JSON value a line: held back until a batch is full or the oldest
/// has waited long enough, then appended in one write(2). Memory is bounded: queued events are written
/// once they reach ``mostWaiting`` bytes, and an event longer than ``LineFile/longestLine`` is an error.
/// The log is a ``LineFile``: any number of processes append to it without a lock, and a writer that dies
/// loses at most one event.
public struct EventQueue: ~Copyable {
  /// When events are put on the disk, by fsync(2).
  public enum Synchronization: String, CaseIterable, Sendable {
    /// Each event by itself, before the next one is written.
    case each
    /// After each batch.
    case batch
    /// By the system, some time.
    case never
  }

  /// What has happened so far.
  public struct Statistics: Sendable {
    /// Events that were taken in.
    public fileprivate(set) var queued = 0
    /// Events that have been written.
    public fileprivate(set) var written = 0
    /// Writes.
    public fileprivate(set) var batches = 0
    /// Texts that were no event, and writes that failed.
    public fileprivate(set) var errors = 0
    /// Lines that were ended here while others were still writing them.
    public fileprivate(set) var brokenLines = 0
  }

  /// So many bytes are written at once, whatever the batch.
  private static let mostWaiting = 1 << 20

  /// Whether only JSON objects are events.
  public var requiresObjects = false
  private let path: Path
  private var log: LineFile
  private let synchronization: Synchronization
  private let batch: Int
  private let linger: UInt64
  private var waiting = Bytes()
  private var oldest = Instant.now
  /// How many events wait.
  public private(set) var count = 0
  /// What has happened so far.
  public private(set) var statistics = Statistics()

  /// A queue for the log at `path`, which is made with the directories above it when it is missing.
  /// `batch` events are written at once, or those that there are when the oldest of them has waited
  /// `linger` nanoseconds.
  public init(
    _ path: Path, _ synchronization: Synchronization, batch: Int, linger: UInt64
  ) throws(SystemError) {
    try path.parent.makeDirectoryWithParents()
    log = try LineFile(opening: path)
    self.path = path
    self.synchronization = synchronization
    self.batch = synchronization == .each ? 1 : batch
    self.linger = linger
  }

  /// Takes in the event that `text` spells, and writes when the batch is full. What stands on several
  /// lines is put on one, and a byte order mark at the beginning is left out.
  public mutating func add(_ text: ArraySlice<UInt8>) throws(EventError) {
    let text = text.withoutByteOrderMark
    do throws(EventError) { try check(text) } catch {
      statistics.errors += 1
      throw error
    }
    if count == 0 { oldest = .now }
    // JSON has line breaks between its tokens only, never within a string.
    waiting += text.lazy.map { $0 == .newline || $0 == 0x0D ? 0x20 : $0 }
    waiting.append(.newline)
    count += 1
    statistics.queued += 1
    if count >= batch || waiting.count >= Self.mostWaiting { try flush() }
  }

  /// Takes in the event that a line of input spells.
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

  /// Nanoseconds until the events that wait are to be written; nil when none waits.
  public var timeLeft: UInt64? {
    count == 0 ? nil : oldest.advanced(byNanoseconds: linger).nanoseconds(since: .now)
  }

  /// Writes all that wait. After an error none does: a part of them can be in the log, which a second
  /// try would repeat.
  public mutating func flush() throws(EventError) {
    if count == 0 { return }
    do throws(SystemError) {
      // A log that was rotated away is not ours any more.
      if try !log.lies(at: path) { log = try LineFile(opening: path) }
      // A writer that does not end its lines would hold up every batch.
      let patience: UInt64 = statistics.brokenLines == 0 ? 1_000_000_000 : 10_000_000
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
  /// It is no JSON value.
  case json(JSONError)
  /// It is a JSON value, but no object.
  case noObject
  /// It is longer than ``LineFile/longestLine``.
  case tooLong
  /// It could not be written, or not be put on the disk.
  case system(SystemError)
}
