/// Temporary storage for data that may not fit in memory: append at the end, read anywhere.
///
/// The data is in an unnamed file in TMPDIR, or else in /tmp. The file disappears when the process
/// ends, even by a crash. If neither directory can hold one, the data is in memory.
public final class Spool {
  private let file: Descriptor
  /// The directory of the file.
  private let directory: Path
  /// The size in bytes.
  public private(set) var size: UInt64 = 0

  /// Creates an empty spool: openat(2), unlinkat(2).
  public init() throws(SystemError) {
    let system = Path("/tmp")
    for directory in [Environment.variable("TMPDIR").map { Path($0) } ?? system, system] {
      do throws(SystemError) {
        file = try Self.makeFile(in: directory)
        self.directory = directory
        return
      } catch {}
    }
    file = try Descriptor(inMemoryFor: system)
    directory = system
  }

  private static func makeFile(in path: Path) throws(SystemError) -> Descriptor {
    let directory = try Descriptor(opening: path, .directory)
    let name = Bytes(".topic.") + Bytes(randomHexadecimalDigits: 16)
    let file = try Descriptor(opening: name, in: directory, .creatingNew(.exactly(0o600)))
    try directory.removeFile(name)
    return file
  }

  /// Appends `bytes`: pwrite(2).
  ///
  /// - Throws: An error that names the directory of the file, such as `ENOSPC`.
  public func append(_ bytes: Bytes) throws(SystemError) {
    do throws(SystemError) { try file.write(bytes, at: size) } catch {
      throw SystemError(error.call, directory, error.errno)
    }
    size += UInt64(bytes.count)
  }

  /// Reads up to `count` bytes at `offset`, fewer at the end: pread(2).
  public func read(at offset: UInt64, upTo count: Int) throws(SystemError) -> Bytes {
    try file.read(at: offset, upTo: count)
  }

  /// Returns a descriptor for reading the spool from the beginning. Where proc(5) exists, its
  /// position is independent of other readers.
  func reader() throws(SystemError) -> Descriptor {
    do throws(SystemError) {
      return try Descriptor(opening: Path("/proc/self/fd/\(file.number)"), .input)
    } catch {
      return try Descriptor(rewinding: file)
    }
  }
}
