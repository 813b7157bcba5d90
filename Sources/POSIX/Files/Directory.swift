#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#elseif canImport(Darwin)
  import Darwin
#endif

extension Descriptor {
  /// Calls `body` with the name of every entry of this directory but `.` and `..`, in the order of
  /// the file system, from the first one: readdir(3). The name lives only during the call. The
  /// second argument is what the entry is, where the file system says so without a stat(2).
  public func forEachEntry(
    _ body: (UnsafeBufferPointer<UInt8>, FileStatus.Kind?) -> Void
  ) throws(SystemError) {
    // Opened anew, not duplicated: closing a duplicate would end a watch of this descriptor.
    let reading = try perform(.open, path) {
      openat(number, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC)
    }
    var stream: DirectoryStream?
    do throws(SystemError) {
      try perform(.fdopendir, path) {
        stream = fdopendir(reading)
        return stream == nil ? -1 : 0
      }
    } catch {
      close(reading)
      throw error
    }
    guard let stream else { preconditionFailure("fdopendir gave neither stream nor error") }
    defer { closedir(stream) }
    guard let nameOffset = MemoryLayout<dirent>.offset(of: \.d_name) else {
      preconditionFailure("d_name is a stored field")
    }
    while let entry = try nextEntry(of: stream) {
      let name = UnsafeRawPointer(entry).advanced(by: nameOffset)
      let bytes = name.assumingMemoryBound(to: UInt8.self)
      let count = strlen(name.assumingMemoryBound(to: CChar.self))
      if bytes[0] == UInt8(ascii: "."),
        count == 1 || (count == 2 && bytes[1] == UInt8(ascii: "."))
      {
        continue
      }
      body(UnsafeBufferPointer(start: bytes, count: count), FileStatus.Kind(entry.pointee.d_type))
    }
  }

  private func nextEntry(of stream: DirectoryStream) throws(SystemError)
    -> UnsafeMutablePointer<dirent>?
  {
    var entry: UnsafeMutablePointer<dirent>?
    // readdir returns NULL at the end and on an error; only errno tells them apart.
    try perform(.readdir, path) {
      errno = 0
      entry = readdir(stream)
      return entry == nil && errno != 0 ? -1 : 0
    }
    return entry
  }
}

#if canImport(Darwin)
  private typealias DirectoryStream = UnsafeMutablePointer<DIR>
#else
  private typealias DirectoryStream = OpaquePointer
#endif

extension FileStatus.Kind {
  fileprivate init?(_ type: UInt8) {
    switch Int(type) {
    case Int(DT_DIR): self = .directory
    case Int(DT_REG): self = .file
    case Int(DT_LNK): self = .symbolicLink
    case Int(DT_FIFO): self = .fifo
    case Int(DT_SOCK): self = .socket
    case Int(DT_UNKNOWN): return nil
    default: self = .device
    }
  }
}
