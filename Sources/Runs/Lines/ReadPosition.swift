import JSON
import POSIX

/// What lines are read into.
public protocol LineReceiver {
  /// Adds the line at `start` if that can be done in one pass, and returns the start of the next
  /// line; nil if ``add(line:)`` has to add it.
  mutating func addFlat(_ text: UnsafeBufferPointer<UInt8>, from start: Int) -> Int?
  /// Adds a line, given without its newline.
  mutating func add(line: ArraySlice<UInt8>)
  /// Counts lines that are too long.
  mutating func addUnreadable(_ count: Int)
}

extension LineReceiver {
  /// Adds the lines of `text`, and returns their length: a last line without its newline is left.
  @inlinable
  public mutating func add(_ text: UnsafeBufferPointer<UInt8>) -> Int {
    var start = 0
    while start < text.count {
      if let next = addFlat(text, from: start) {
        start = next
        continue
      }
      guard let end = text[start...].firstIndex(of: .newline) else { break }
      add(line: Bytes(text[start..<end])[...])
      start = end + 1
    }
    return start
  }
}

/// How far a file of lines has been read, so that a later reading can continue there.
public struct ReadPosition: Sendable {
  private let device: UInt64
  private let inode: UInt64
  /// The length of the complete lines that were read.
  public private(set) var offset: UInt64 = 0
  /// The SHA-256 of the first bytes and of the last ones before the offset. It reveals a file that
  /// was rewritten. Empty until ``seal(in:)``.
  private var digest = ""

  private static let blockSize = 1 << 18
  private static let digested: UInt64 = 4_096

  /// The beginning of the file with this status.
  public init(_ file: FileStatus) {
    (device, inode) = (file.device, file.inode)
  }

  /// Whether it is a position in the file with this status.
  public func isIn(_ file: FileStatus) -> Bool { file.device == device && file.inode == inode }

  /// Whether everything up to here is still there, as far as the size and the digest tell.
  public func isUnchanged(in file: borrowing Descriptor) throws(SystemError) -> Bool {
    guard try file.status().size >= offset else { return false }
    if offset > 0, try file.read(at: offset - 1, upTo: 1) != [.newline] { return false }
    return try digest == Self.digest(file, until: offset)
  }

  /// The last line of a file if it is incomplete: cut by a crash, or still being written.
  public struct Rest {
    /// Its text so far, unless it is too long.
    public let text: Bytes
    /// Whether it is too long.
    public let isTooLong: Bool
  }

  /// Reads the complete lines from here to the end, in one buffer. A line that is too long counts
  /// once: as incomplete until its newline appears, then as unreadable.
  public mutating func readOn(
    in file: borrowing Descriptor, into lines: inout some LineReceiver
  ) throws(SystemError) -> Rest {
    var tooLong = 0
    var splitter = LineSplitter()
    let left = Int(max(try file.status().size, offset) - offset)
    var buffer = Bytes(repeating: 0, count: min(max(left, 1 << 12), Self.blockSize))
    while true {
      let count = try file.read(at: offset, into: &buffer)
      if count == 0 { break }
      offset += UInt64(count)
      var rest = buffer[..<count]
      // A line that began in an earlier block is added by itself, all others at once.
      if splitter.length > 0, let line = splitter.next(in: &rest) {
        switch line {
        case .text(let text): lines.add(line: text)
        case .tooLong: tooLong += 1
        }
      }
      if splitter.length == 0 {
        rest = rest.dropFirst(rest.withUnsafeBufferPointer { lines.add($0) })
      }
      while let line = splitter.next(in: &rest) {
        if case .tooLong = line { tooLong += 1 }
      }
    }
    if splitter.isTooLong { tooLong -= 1 }
    lines.addUnreadable(tooLong)
    offset -= splitter.length
    return Rest(text: splitter.rest, isTooLong: splitter.isTooLong)
  }

  /// Notes what ``isUnchanged(in:)`` compares, before the position is stored.
  public mutating func seal(in file: borrowing Descriptor) throws(SystemError) {
    digest = try Self.digest(file, until: offset)
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

  // MARK: JSON

  /// Writes the members of a JSON object.
  public func write(to json: inout JSONWriter) {
    json.member("device", "\(device)")
    json.member("inode", "\(inode)")
    json.member("offset", Int(offset))
    json.member("sha256_of_ends", digest)
  }

  /// Reads the members back; nil if they are damaged.
  public init?(_ json: JSONValue) {
    guard let device = json["device"]?.string.flatMap({ UInt64($0) }),
      let inode = json["inode"]?.string.flatMap({ UInt64($0) }),
      let offset = json["offset"]?.integer(in: 0...1 << 60),
      let digest = json["sha256_of_ends"]?.string
    else { return nil }
    (self.device, self.inode, self.offset) = (device, inode, UInt64(offset))
    self.digest = digest
  }
}

extension Descriptor {
  /// Fills `buffer`, which keeps its length: pread(2).
  fileprivate func read(at offset: UInt64, into buffer: inout Bytes) throws(SystemError) -> Int {
    var failure: SystemError?
    let count = buffer.withUnsafeMutableBytes { buffer -> Int in
      do throws(SystemError) { return try read(at: offset, into: buffer) } catch { failure = error }
      return 0
    }
    if let failure { throw failure }
    return count
  }
}
