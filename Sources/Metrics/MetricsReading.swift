import JSON
import POSIX
import Runs

/// How far each file of metrics has been read, so that a later reading can continue there.
public struct MetricsReading: Sendable {
  /// How far one file has been read.
  struct Position: Sendable {
    let device: UInt64
    let inode: UInt64
    /// The length of the complete lines that were read.
    var offset: UInt64 = 0
    /// The SHA-256 of the first bytes and of the last ones before the offset. It reveals a file
    /// that was rewritten.
    var digest = ""
  }

  /// The positions in all files, in the order in which they were read.
  private(set) var positions: [Position]
  /// How many files end in an incomplete line: cut by a crash, or still being written.
  public private(set) var cut = 0
  /// Complete entries at the end of a file that only lack the newline. They lie beyond
  /// ``positions``, so the next reading reads them again.
  private(set) var unended: [Bytes] = []

  // A larger block would be mapped and unmapped by malloc(3) each time.
  static let blockSize = 1 << 16
  private static let digested: UInt64 = 4_096

  /// A reading that continues at `positions`.
  init(_ positions: [Position] = []) {
    self.positions = positions
  }

  /// How many files were read.
  public var files: Int { positions.count }

  /// Whether everything that was read is still there, unchanged.
  func holds(for file: MetricsFile) throws(SystemError) -> Bool {
    var known = positions
    for path in try file.segments() + [file.path] {
      guard let place = try known.firstIndex(ofFileAt: path) else { continue }
      if try !Self.isUnchanged(path, known.remove(at: place)) { return false }
    }
    return known.isEmpty
  }

  private static func isUnchanged(
    _ path: Path, _ position: Position
  ) throws(SystemError) -> Bool {
    let file = try Descriptor.maintained(path, .readNoLink)
    guard try file.status().size >= position.offset else { return false }
    return try digest(file, until: position.offset) == position.digest
  }

  /// Reads what is new in `file` into `summary`.
  mutating func readNew(
    of file: MetricsFile, into summary: inout MetricsSummary
  ) throws(SystemError) {
    cut = 0
    unended = []
    var seen: Set<Int> = []
    // After a rotation, a new FILE appears: list again until there is nothing new.
    for _ in 0..<100 {
      var isNew = false
      for path in try file.segments() + [file.path] {
        let known = try positions.firstIndex(ofFileAt: path)
        if let known, seen.contains(known) { continue }
        do throws(SystemError) {
          seen.insert(try read(path, into: &summary))
          isNew = true
        } catch {
          if error.errno != .notFound { throw error }
        }
      }
      if !isNew { return }
    }
  }

  /// Reads what is new in one file, and returns its index in ``positions``.
  private mutating func read(
    _ path: Path, into summary: inout MetricsSummary
  ) throws(SystemError) -> Int {
    let file = try Descriptor.maintained(path, .readNoLink)
    let status = try file.status()
    let place = positions.firstIndex { $0.isOf(status) } ?? positions.count
    if place == positions.count {
      positions.append(Position(device: status.device, inode: status.inode))
    }
    let end = try Self.read(file, from: positions[place].offset, into: &summary)
    let rest = end.rest[...].withoutByteOrderMark
    let isEntry = !rest.isBlank && (try? JSONValue.check(rest)) == true
    // These entries stay in memory until the end, so their total is bounded.
    if isEntry, unended.reduce(rest.count, { $0 + $1.count }) <= LineFile.longestLine {
      unended.append(Bytes(rest))
    } else if !rest.isBlank || end.isTooLong {
      cut += 1
    }
    positions[place].offset = end.offset
    positions[place].digest = try Self.digest(file, until: end.offset)
    return place
  }

  /// Reads complete lines, and returns where they end and what follows them. A line that is too
  /// long counts once: as incomplete until its newline appears, then as unreadable.
  private static func read(
    _ file: borrowing Descriptor, from start: UInt64, into summary: inout MetricsSummary
  ) throws(SystemError) -> (offset: UInt64, rest: Bytes, isTooLong: Bool) {
    var offset = start
    var tooLong = 0
    var splitter = LineSplitter()
    while true {
      let block = try file.read(at: offset, upTo: blockSize)
      if block.isEmpty { break }
      offset += UInt64(block.count)
      var rest = block[...]
      // A line that began in an earlier block is added by itself, all others at once.
      if splitter.length > 0, let line = splitter.next(in: &rest) {
        switch line {
        case .text(let text): summary.add(line: text)
        case .tooLong: tooLong += 1
        }
      }
      if splitter.length == 0 {
        rest = rest.dropFirst(rest.withUnsafeBufferPointer { summary.add($0) })
      }
      while let line = splitter.next(in: &rest) {
        if case .tooLong = line { tooLong += 1 }
      }
    }
    if splitter.isTooLong { tooLong -= 1 }
    summary.addUnreadable(tooLong)
    return (offset - splitter.length, splitter.rest, splitter.isTooLong)
  }

  private static func digest(
    _ file: borrowing Descriptor, until offset: UInt64
  ) throws(SystemError) -> String {
    let count = min(offset, digested)
    var hash = SHA256()
    hash.add(try file.read(at: 0, upTo: Int(count)))
    hash.add(try file.read(at: offset - count, upTo: Int(count)))
    return hash.hexadecimal()
  }
}

extension MetricsReading.Position {
  fileprivate func isOf(_ status: FileStatus) -> Bool {
    status.device == device && status.inode == inode
  }
}

extension [MetricsReading.Position] {
  /// The index of the position in the file at `path`; nil if there is none, or no such file.
  fileprivate func firstIndex(ofFileAt path: Path) throws(SystemError) -> Int? {
    do throws(SystemError) {
      let status = try FileStatus.of(path)
      return firstIndex { $0.isOf(status) }
    } catch {
      if error.errno == .notFound { return nil }
      throw error
    }
  }
}

extension MetricsSummary {
  /// Adds all entries of `file` and its segments.
  ///
  /// - Returns: How far the files were read.
  @discardableResult
  public mutating func add(_ file: MetricsFile) throws(SystemError) -> MetricsReading {
    var reading = MetricsReading()
    try reading.readNew(of: file, into: &self)
    addUnended(of: reading)
    return reading
  }

  /// Adds the entries that only lack their newline.
  mutating func addUnended(of reading: MetricsReading) {
    for entry in reading.unended { add(line: entry[...]) }
  }
}
