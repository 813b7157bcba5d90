import POSIX

/// Follows a log as it grows, also when it is rotated, replaced or emptied.
///
/// A file that is no longer at the path is still read for a while, because writers may have it
/// open.
public struct LineFollower {
  /// How long a file that was rotated away is read after its last line, in nanoseconds.
  public static let patience = Duration.seconds(60)

  private let path: Path
  /// The files to read; the last one is that at the path.
  private var sources: [Source]

  /// A file that is read line by line.
  private final class Source {
    let file: Descriptor
    private var offset: UInt64
    private var splitter: LineSplitter
    /// When its last line was read, or it was opened.
    private(set) var latest = Instant.now

    init(_ file: consuming Descriptor, from offset: UInt64, inLongLine isTooLong: Bool = false) {
      self.file = file
      self.offset = offset
      splitter = LineSplitter(inLongLine: isTooLong)
    }

    /// Reads a block. Returns false at the end.
    func readNext(_ body: (ArraySlice<UInt8>) -> Void) throws(SystemError) -> Bool {
      if try file.status().size < offset { (offset, splitter) = (0, LineSplitter()) }
      let block = try file.read(at: offset, upTo: 1 << 16)
      if block.isEmpty { return false }
      latest = .now
      offset += UInt64(block.count)
      var rest = block[...]
      while let line = splitter.next(in: &rest) {
        if case .text(let text) = line { body(text) }
      }
      return true
    }
  }

  /// Follows the log at `path`.
  ///
  /// - Parameters:
  ///   - file: The log, if it exists already.
  ///   - offset: Where in `file` to begin.
  ///   - isTooLong: Whether that is in the middle of a line that is too long.
  public init(
    _ path: Path, _ file: consuming Descriptor?, from offset: UInt64, inLongLine isTooLong: Bool
  ) {
    self.path = path
    if let file {
      sources = [Source(file, from: offset, inLongLine: isTooLong)]
    } else {
      sources = []
    }
  }

  /// Calls `body` with each line that the next block completes. Files that were rotated away come
  /// first.
  ///
  /// - Returns: Whether there was anything new.
  public mutating func readNext(_ body: (ArraySlice<UInt8>) -> Void) throws(SystemError) -> Bool {
    // Look up the path before reading, so that all that was appended before a rotation is seen.
    try takeUpOtherFile()
    for source in sources where try source.readNext(body) { return true }
    let current = sources.last
    sources.removeAll {
      $0 !== current && Instant.now - $0.latest > Self.patience
    }
    return false
  }

  private mutating func takeUpOtherFile() throws(SystemError) {
    do throws(SystemError) {
      let there = try FileStatus.of(path)
      if let current = sources.last, try current.file.status().isSameFile(as: there) { return }
      // A file that was moved back is open already.
      for (index, source) in sources.enumerated()
      where try source.file.status().isSameFile(as: there) {
        sources.append(sources.remove(at: index))
        return
      }
      sources.append(Source(try Descriptor.maintained(path, .readNoLink), from: 0))
    } catch {
      if error.errno != .notFound { throw error }
    }
  }
}
