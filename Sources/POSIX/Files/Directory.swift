#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#elseif canImport(Darwin)
  import Darwin
#endif

extension Path {
  /// Makes the directory, with the permissions of ``NewPermissions/ofDirectory(in:)``: mkdir(2).
  public func makeDirectory() throws(SystemError) {
    var permissions = NewPermissions.ofDirectory
    do throws(SystemError) {
      permissions = .ofDirectory(in: try FileStatus.of(parent))
    } catch {
      // The call itself names the directory that cannot be made.
      if error.errno != .notFound { throw error }
    }
    try perform(.mkdir, self) { withCString { path in permissions.apply { mkdir(path, $0) } } }
  }

  /// Makes a new directory `PREFIX.XXXXXX` that only this user can enter, and returns its path:
  /// mkdtemp(3).
  public static func makeTemporaryDirectory(_ prefix: Path) throws(SystemError) -> Path {
    var template = (prefix.bytes + Bytes(".XXXXXX")).map { CChar(bitPattern: $0) } + [0]
    try perform(.mkdtemp, prefix) { mkdtemp(&template) == nil ? -1 : 0 }
    return Path(template.dropLast().map { UInt8(bitPattern: $0) })
  }
}

extension Descriptor {
  /// Makes the directory `name` in this one: mkdirat(2).
  public func makeDirectory(_ name: Bytes, _ permissions: NewPermissions) throws(SystemError) {
    try perform(.mkdirat, path.appending(name)) {
      Path(name).withCString { name in permissions.apply { mkdirat(number, name, $0) } }
    }
  }

  /// Removes the empty directory `name` from this one: unlinkat(2).
  public func removeDirectory(_ name: Bytes) throws(SystemError) {
    try perform(.unlinkat, path.appending(name)) {
      Path(name).withCString { unlinkat(number, $0, AT_REMOVEDIR) }
    }
  }

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
