import POSIX
import Runs

/// A file of metrics, FILE, and its segments: earlier files that were full and renamed, such as
/// `FILE.20261121T083000Z-001`. The number has 3 to 18 digits.
///
/// Writers append to FILE and know nothing of segments: a writer that opened FILE before a rotation
/// writes into the segment. Readers read all segments, oldest first, and then FILE. A rotation
/// takes flock(2) on FILE itself, checks that it is still FILE and full, and renames it.
public struct MetricsFile: Sendable {
  /// The path of FILE.
  public let path: Path

  /// The metrics at `path`, which may not exist yet.
  public init(_ path: Path) {
    self.path = path
  }

  /// Appends entries. Creates the file and its parent directories if they are missing.
  ///
  /// - Parameters:
  ///   - lines: JSON objects, each with its newline.
  ///   - synchronizes: Whether to call fsync(2).
  public func append(_ lines: Bytes, synchronizes: Bool = true) throws(SystemError) {
    try path.parent.makeDirectoryWithParents()
    let file = try LineFile(opening: path)
    try file.append(lines)
    if synchronizes { try file.synchronize() }
  }

  // MARK: Segments

  private struct Segment {
    let name: Bytes
    let stamp: Bytes
    let number: Int
  }

  /// The paths of the segments, oldest first.
  public func segments() throws(SystemError) -> [Path] {
    try listed().map { path.parent.appending($0.name) }
  }

  /// The largest number of a segment.
  private static let mostSegments = 999_999_999_999_999_999

  private func listed() throws(SystemError) -> [Segment] {
    let prefix = path.lastComponent + [UInt8(ascii: ".")]
    var segments: [Segment] = []
    var outOfRange: Bytes?
    do throws(SystemError) {
      try Descriptor(opening: path.parent, .directory).forEachEntry { entry, _ in
        let name = Bytes(entry)
        guard name.starts(with: prefix) else { return }
        let parts = name.dropFirst(prefix.count).split(
          separator: UInt8(ascii: "-"), omittingEmptySubsequences: false)
        guard parts.count == 2, Self.isStamp(parts[0]), parts[1].count >= 3,
          parts[1].allSatisfy({ $0 &- UInt8(ascii: "0") <= 9 })
        else { return }
        let number = Int(String(decoding: parts[1], as: UTF8.self)) ?? .max
        if number > Self.mostSegments { outOfRange = name }
        if number > 0 {
          segments.append(Segment(name: name, stamp: Bytes(parts[0]), number: number))
        }
      }
    } catch {
      if error.errno != .notFound { throw error }
    }
    if let outOfRange { throw Self.outOfRange(path.parent.appending(outOfRange)) }
    return segments.sorted { one, other in
      one.stamp == other.stamp
        ? one.number < other.number : one.stamp.lexicographicallyPrecedes(other.stamp)
    }
  }

  private static func outOfRange(_ path: Path) -> SystemError {
    SystemError(.readdir, path, .outOfRange)
  }

  /// Whether `text` is a time such as `20261121T083000Z`.
  private static func isStamp(_ text: ArraySlice<UInt8>) -> Bool {
    text.count == 16
      && text.enumerated().allSatisfy { index, byte in
        switch index {
        case 8: byte == UInt8(ascii: "T")
        case 15: byte == UInt8(ascii: "Z")
        default: byte &- UInt8(ascii: "0") <= 9
        }
      }
  }

  // MARK: Rotation

  /// The size at which FILE is full.
  public enum Limit: Sendable {
    /// This many bytes.
    case bytes(UInt64)
    /// This many lines.
    case lines(Int)
  }

  /// Renames FILE if it is full. Waits for other rotations until `deadline`.
  ///
  /// - Returns: The path of the new segment; nil if FILE is missing or not full.
  public func rotate(_ limit: Limit, until deadline: Instant) throws(SystemError) -> Path? {
    while true {
      let file: Descriptor
      do throws(SystemError) {
        file = try Descriptor.maintained(path, .readNoLink)
      } catch {
        if error.errno == .notFound { return nil }
        throw error
      }
      try file.takeLock(until: deadline)
      // Another process may have rotated it in the meantime.
      guard let there = try? FileStatus.of(path), try file.status().isSameFile(as: there) else {
        continue
      }
      guard try isFull(file, limit) else { return nil }
      let directory = try Descriptor(opening: path.parent, .directory)
      let name = try nextName()
      try directory.rename(path.lastComponent, to: name)
      try directory.synchronize()
      return path.parent.appending(name)
    }
  }

  private func isFull(
    _ file: borrowing Descriptor, _ limit: Limit
  ) throws(SystemError) -> Bool {
    switch limit {
    case .bytes(let bytes): return try file.status().size >= bytes
    case .lines(let lines):
      var count = 0
      var offset: UInt64 = 0
      while count < lines {
        let block = try file.read(at: offset, upTo: 1 << 18)
        if block.isEmpty { return false }
        offset += UInt64(block.count)
        for byte in block where byte == .newline { count += 1 }
      }
      return true
    }
  }

  /// A name that sorts after all segments, even if the clock was set back.
  private func nextName() throws(SystemError) -> Bytes {
    let now = Bytes(WallTime.now.rfc3339.filter { $0 != "-" && $0 != ":" })
    var stamp = now
    var number = 1
    if let last = try listed().last, !last.stamp.lexicographicallyPrecedes(now) {
      if last.number == Self.mostSegments {
        throw Self.outOfRange(path.parent.appending(last.name))
      }
      (stamp, number) = (last.stamp, last.number + 1)
    }
    return path.lastComponent + Bytes(".") + stamp + Bytes("-\(UInt64(number).padded(to: 3))")
  }
}
