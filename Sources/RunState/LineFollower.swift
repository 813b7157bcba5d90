import POSIX

/// Reads on in a log as it grows, also when it is rotated away, replaced or emptied.
public struct LineFollower: ~Copyable {
  private let path: Path
  private var file: Descriptor?
  private var offset: UInt64
  private var rest = Bytes()

  /// Reads the log at `path` from `offset` on; with no `file` yet, from the beginning of the one that
  /// appears there.
  public init(_ path: Path, _ file: consuming Descriptor?, from offset: UInt64) {
    self.path = path
    self.file = file
    self.offset = offset
  }

  /// Calls `body` with each line that has been completed since the last call. When another file has come
  /// to the path, the old one is read to its end first.
  public mutating func readNew(_ body: (Bytes) -> Void) throws(SystemError) {
    // Looked up before the reading: what was appended to the old file before it was moved is there.
    let isReplaced = try hasOtherFile()
    try readToEnd(body)
    guard isReplaced else { return }
    file = try Descriptor(opening: path, .read)
    offset = 0
    rest = []
    try readToEnd(body)
  }

  private func hasOtherFile() throws(SystemError) -> Bool {
    let there: FileStatus
    do throws(SystemError) {
      there = try FileStatus.of(path)
    } catch {
      if error.errno == .notFound { return false }
      throw error
    }
    switch file {
    case .none: return true
    case .some(let file): return try !file.status().isSameFile(as: there)
    }
  }

  private mutating func readToEnd(_ body: (Bytes) -> Void) throws(SystemError) {
    while true {
      let block: Bytes
      switch file {
      case .none: return
      case .some(let file):
        if try file.status().size < offset { (offset, rest) = (0, []) }
        block = try file.read(at: offset, upTo: 1 << 16)
      }
      if block.isEmpty { return }
      offset += UInt64(block.count)
      rest += block
      var start = rest.startIndex
      while let end = rest[start...].firstIndex(of: .newline) {
        body(Bytes(rest[start..<end]))
        start = end + 1
      }
      rest.removeFirst(start)
    }
  }
}
