import JSON
import POSIX
import Runs

/// How far each file of metrics has been read, so that a later reading can continue there.
public struct MetricsReading: Sendable {
  /// The positions in all files, in the order in which they were read.
  private(set) var positions: [ReadPosition]
  /// How many files end in an incomplete line: cut by a crash, or still being written.
  public private(set) var cut = 0
  /// Complete entries at the end of a file that only lack the newline. They lie beyond
  /// ``positions``, so the next reading reads them again.
  private(set) var unended: [Bytes] = []

  /// A reading that continues at `positions`.
  init(_ positions: [ReadPosition] = []) {
    self.positions = positions
  }

  /// How many files were read.
  public var files: Int { positions.count }

  /// Whether everything that was read is still there, unchanged.
  func holds(for file: MetricsFile) throws(SystemError) -> Bool {
    var known = positions
    for path in try file.segments() + [file.path] {
      guard let place = try known.firstIndex(ofFileAt: path) else { continue }
      let file = try Descriptor.maintained(path, .readNoLink)
      if try !known.remove(at: place).isUnchanged(in: file) { return false }
    }
    return known.isEmpty
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
    let place = positions.firstIndex { $0.isIn(status) } ?? positions.count
    if place == positions.count { positions.append(ReadPosition(status)) }
    let end = try positions[place].readOn(in: file, into: &summary)
    try positions[place].seal(in: file)
    let rest = end.text[...].withoutByteOrderMark
    let isEntry = !rest.isBlank && (try? JSONValue.check(rest)) == true
    // These entries stay in memory until the end, so their total is bounded.
    if isEntry, unended.reduce(rest.count, { $0 + $1.count }) <= LineFile.longestLine {
      unended.append(Bytes(rest))
    } else if !rest.isBlank || end.isTooLong {
      cut += 1
    }
    return place
  }
}

extension [ReadPosition] {
  /// The index of the position in the file at `path`; nil if there is none, or no such file.
  fileprivate func firstIndex(ofFileAt path: Path) throws(SystemError) -> Int? {
    do throws(SystemError) {
      let status = try FileStatus.of(path)
      return firstIndex { $0.isIn(status) }
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
