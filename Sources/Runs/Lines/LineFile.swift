import POSIX

/// A file to which many processes append lines, any of which can die at any moment.
public struct LineFile: ~Copyable {
  private let file: Descriptor

  /// Opens the file for appending and reading. It is created if it is missing; its directory is
  /// not.
  ///
  /// A writer that finds the file empty synchronizes the directories above it before the first
  /// line. So a line that is on disk is never lost with the name of its file.
  public init(opening path: Path) throws(SystemError) {
    let opened = try Descriptor.appending(to: path)
    if try opened.status().size == 0 { try path.parent.synchronizeWithParents() }
    file = opened
  }

  /// Opens an existing file for reading only.
  public init(reading path: Path) throws(SystemError) {
    file = try Descriptor.maintained(path, .readNoLink)
  }

  /// Whether it is still the file at `path`, and was not rotated away.
  func isFile(at path: Path) throws(SystemError) -> Bool {
    do throws(SystemError) {
      return try FileStatus.of(path).isSameFile(as: file.status())
    } catch {
      if error.errno == .notFound { return false }
      throw error
    }
  }

  /// The length in bytes.
  public func size() throws(SystemError) -> UInt64 { try file.status().size }

  /// Appends whole lines, each with its newline, in one write(2), before or after what others
  /// append.
  ///
  /// If a crash left the last line without its newline, that line is ended first. If another writer
  /// is killed in the middle of its line after that check, the first of our lines follows half of
  /// that one, and is written again.
  ///
  /// - Parameter patience: The time in nanoseconds after which a line is ended that another process
  ///   is still writing.
  /// - Returns: Whether such a line was ended.
  /// - Throws: `EFBIG` if a line is longer than ``longestLine``, before anything is written.
  @discardableResult
  public func append(
    _ lines: Bytes, patience: Duration = .seconds(1)
  ) throws(SystemError) -> Bool {
    if lines.count > Self.longestLine { try checkLengths(of: lines) }
    let end = try lastEnd(patience)
    if end != .whole {
      try file.write([.newline] + lines)
      return end == .growing
    }
    try file.write(lines)
    // Writes to one file are serialized, so what precedes ours no longer changes.
    guard let end = try? file.position(), end > lines.count else { return false }
    if try file.read(at: end - UInt64(lines.count) - 1, upTo: 1) == [.newline] { return false }
    return try append(Bytes(lines.prefix { $0 != .newline }) + [.newline], patience: patience)
  }

  private func checkLengths(of lines: Bytes) throws(SystemError) {
    var rest = lines[...]
    while !rest.isEmpty {
      let line = rest.prefix { $0 != .newline }
      if line.count > Self.longestLine { throw SystemError(.write, file.path, .fileTooLarge) }
      rest = rest[line.endIndex...].dropFirst()
    }
  }

  private enum End {
    /// The last line has its newline, or there is no line.
    case whole
    /// The last line lacks its newline.
    case cut
    /// The last line lacks its newline, and another process is still writing it.
    case growing
  }

  /// How the last line ends.
  ///
  /// During a write, a part of its line can be visible. So a line without its newline is watched as
  /// long as the file grows, but for `patience` nanoseconds at most.
  private func lastEnd(_ patience: Duration) throws(SystemError) -> End {
    let deadline = Instant.now + patience
    var end = try size()
    while end > 0 {
      let last = try file.read(at: end - 1, upTo: 1)
      if last.isEmpty || last == [.newline] { return .whole }
      Instant.sleep(.milliseconds(1))
      let now = try size()
      if now == end { return .cut }
      if Instant.now >= deadline { return .growing }
      end = now
    }
    return .whole
  }

  /// Puts what was appended on disk: fsync(2).
  public func synchronize() throws(SystemError) { try file.synchronize() }

  /// Cuts off everything after the first `size` bytes.
  public func truncate(to size: UInt64) throws(SystemError) { try file.truncate(to: size) }

  /// The length in bytes of the longest line that is written or read.
  public static let longestLine = 1 << 24

  /// Calls `body` with each line, without its newline, in order. Keeps only one line in memory.
  ///
  /// Empty lines are skipped, and a line longer than ``longestLine`` is passed as nil.
  ///
  /// - Parameter isCut: Whether the line is the last one and lacks its newline, because it is still
  ///   being written or because a crash cut it.
  public func forEachLine(
    _ body: (ArraySlice<UInt8>?, _ isCut: Bool) -> Void
  ) throws(SystemError) {
    var offset: UInt64 = 0
    var splitter = LineSplitter()
    while true {
      let block = try file.read(at: offset, upTo: 1 << 16)
      if block.isEmpty { break }
      offset += UInt64(block.count)
      var rest = block[...]
      while let line = splitter.next(in: &rest) {
        switch line {
        case .text(let text): if !text.isEmpty { body(text, false) }
        case .tooLong: body(nil, false)
        }
      }
    }
    if !splitter.rest.isEmpty { body(splitter.rest[...], true) }
  }
}
