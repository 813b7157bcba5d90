import POSIX

/// A file of lines that many processes append to, any of which can die at any moment.
public struct LineFile: ~Copyable {
  private let file: Descriptor

  /// Opens it for appending and reading; it is made when it is missing, its directory is not.
  ///
  /// A file that holds a line has its name on the disk, so that no line that is on the disk is lost with
  /// it: whoever finds it empty puts the directories on the way to it on the disk, before the first line.
  public init(opening path: Path) throws(SystemError) {
    let opened = try Descriptor.appending(to: path)
    if try opened.status().size == 0 { try path.parent.synchronizeWithParents() }
    file = opened
  }

  /// Opens one that is there for reading alone.
  public init(reading path: Path) throws(SystemError) {
    file = try Descriptor.maintained(path, .readNoLink)
  }

  /// Whether it is still what lies at `path`, and has not been rotated away.
  func lies(at path: Path) throws(SystemError) -> Bool {
    do throws(SystemError) {
      return try FileStatus.of(path).isSameFile(as: file.status())
    } catch {
      if error.errno == .notFound { return false }
      throw error
    }
  }

  /// Its length in bytes.
  public func size() throws(SystemError) -> UInt64 { try file.status().size }

  /// Appends whole lines, each ended by its newline, in one write(2): what others append meanwhile
  /// stands before or behind. A last line that a crash left without its newline is ended first, so
  /// that it spoils no other.
  ///
  /// A writer can be killed in the middle of its write between that look and ours. Then the first line
  /// stands behind half of another one, and is written again.
  ///
  /// A line that others are still writing is ended after `patience` nanoseconds, too. Returns whether that
  /// was so.
  ///
  /// - Throws: `EFBIG` when a line is longer than ``longestLine``, before anything is written.
  @discardableResult
  public func append(
    _ lines: Bytes, patience: UInt64 = 1_000_000_000
  ) throws(SystemError) -> Bool {
    if lines.count > Self.longestLine { try checkLengths(of: lines) }
    let end = try lastEnd(patience)
    if end != .whole {
      try file.write([.newline] + lines)
      return end == .growing
    }
    try file.write(lines)
    // Writes to one file follow one another, so what stands before ours does not change any more.
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

  /// How the last line ends.
  private enum End {
    /// With its newline; or there is none.
    case whole
    /// Without it.
    case cut
    /// Without it, and others are still writing it.
    case growing
  }

  /// How the last line ends. A write that is under way can show a part of its line, so one that has no end
  /// is looked at for as long as the file grows, but for `patience` nanoseconds at most.
  private func lastEnd(_ patience: UInt64) throws(SystemError) -> End {
    let deadline = Instant.now.advanced(byNanoseconds: patience)
    var end = try size()
    while end > 0 {
      let last = try file.read(at: end - 1, upTo: 1)
      if last.isEmpty || last == [.newline] { return .whole }
      Instant.sleep(nanoseconds: 1_000_000)
      let now = try size()
      if now == end { return .cut }
      if Instant.now >= deadline { return .growing }
      end = now
    }
    return .whole
  }

  /// Puts what was appended on the disk: fsync(2).
  public func synchronize() throws(SystemError) { try file.synchronize() }

  /// Cuts off what stands behind the first `size` bytes.
  public func truncate(to size: UInt64) throws(SystemError) { try file.truncate(to: size) }

  /// The longest line that is read, in bytes. A longer one is none of ours.
  public static let longestLine = 1 << 24

  /// Calls `body` with every line, newline left out, from the first one; in memory of one line, however
  /// long the file is. A last line without its newline is no line yet, or one that a crash cut: the second
  /// argument says so. A line over ``longestLine`` comes as nil, and empty ones are left out.
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
