extension Path {
  /// Creates the directory with the permissions of ``NewPermissions/ofDirectory(in:)``: mkdir(2).
  public func makeDirectory() throws(SystemError) {
    var permissions = NewPermissions.ofDirectory
    do throws(SystemError) {
      permissions = .ofDirectory(in: try FileStatus.of(parent))
    } catch {
      // Then mkdir(2) fails too, and its error names the directory.
      if error.errno != .notFound { throw error }
    }
    try perform(.mkdir, self) { withCString { path in permissions.apply { libc_mkdir(path, $0) } } }
  }

  /// Creates a directory `PREFIX.XXXXXX` that only this user can enter, and returns its path:
  /// mkdtemp(3).
  public static func makeTemporaryDirectory(_ prefix: Path) throws(SystemError) -> Path {
    var template = (prefix.bytes + Bytes(".XXXXXX")).map { CChar(bitPattern: $0) } + [0]
    try perform(.mkdtemp, prefix) { libc_mkdtemp(&template) == nil ? -1 : 0 }
    return Path(template.dropLast().map { UInt8(bitPattern: $0) })
  }
}

extension Descriptor {
  /// Creates the directory `name` in this one: mkdirat(2).
  public func makeDirectory(_ name: Bytes, _ permissions: NewPermissions) throws(SystemError) {
    try perform(.mkdirat, path.appending(name)) {
      Path(name).withCString { name in permissions.apply { libc_mkdirat(number, name, $0) } }
    }
  }

  /// Removes the empty directory `name` from this one: unlinkat(2).
  public func removeDirectory(_ name: Bytes) throws(SystemError) {
    try perform(.unlinkat, path.appending(name)) {
      Path(name).withCString { libc_unlinkat(number, $0, _AT_REMOVEDIR) }
    }
  }

  /// Calls `body` for every entry of this directory except `.` and `..`, in the order of the file
  /// system: readdir(3).
  ///
  /// - Parameter body: Takes the name, which is valid only during the call, and the kind of file.
  ///   The kind is nil if the file system reports it only through stat(2).
  public func forEachEntry(
    _ body: (UnsafeBufferPointer<UInt8>, FileStatus.Kind?) -> Void
  ) throws(SystemError) {
    // Not a duplicate: closing one would end a watch of this descriptor.
    let reading = try perform(.open, path) {
      libc_openat(number, ".", _O_RDONLY | _O_DIRECTORY | _O_CLOEXEC)
    }
    var stream: CInterop.DirectoryStream?
    do throws(SystemError) {
      try perform(.fdopendir, path) {
        stream = libc_fdopendir(reading)
        return stream == nil ? -1 : 0
      }
    } catch {
      libc_close(reading)
      throw error
    }
    guard let stream else { preconditionFailure("fdopendir gave neither stream nor error") }
    defer { libc_closedir(stream) }
    guard let nameOffset = MemoryLayout<CInterop.DirectoryEntry>.offset(of: \.d_name) else {
      preconditionFailure("d_name is a stored field")
    }
    while let entry = try nextEntry(of: stream) {
      let name = UnsafeRawPointer(entry).advanced(by: nameOffset)
      let bytes = name.assumingMemoryBound(to: UInt8.self)
      let count = libc_strlen(name.assumingMemoryBound(to: CChar.self))
      if bytes[0] == UInt8(ascii: "."),
        count == 1 || (count == 2 && bytes[1] == UInt8(ascii: "."))
      {
        continue
      }
      body(UnsafeBufferPointer(start: bytes, count: count), FileStatus.Kind(entry.pointee.d_type))
    }
  }

  private func nextEntry(of stream: CInterop.DirectoryStream) throws(SystemError)
    -> UnsafeMutablePointer<CInterop.DirectoryEntry>?
  {
    var entry: UnsafeMutablePointer<CInterop.DirectoryEntry>?
    // readdir(3) returns NULL at the end and after an error; only errno distinguishes them.
    try perform(.readdir, path) {
      libc_errno = 0
      entry = libc_readdir(stream)
      return entry == nil && libc_errno != 0 ? -1 : 0
    }
    return entry
  }
}

extension FileStatus.Kind {
  fileprivate init?(_ type: UInt8) {
    switch type {
    case _DT_DIR: self = .directory
    case _DT_REG: self = .file
    case _DT_LNK: self = .symbolicLink
    case _DT_FIFO: self = .fifo
    case _DT_SOCK: self = .socket
    case _DT_UNKNOWN: return nil
    default: self = .device
    }
  }
}
