import CSystem

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#elseif canImport(Darwin)
  import Darwin
#endif

extension Descriptor {
  /// Appends `bytes` in one write(2) where the file system takes all of them, else in several.
  ///
  /// On a descriptor opened for appending, a single write lands whole behind whatever others append
  /// at the same time.
  public func write(_ bytes: Bytes) throws(SystemError) {
    var rest = bytes[...]
    while !rest.isEmpty {
      let written = try perform(.write, path) {
        rest.withUnsafeBytes {
          #if DEBUG
            writeBytes(number, $0.baseAddress, Fault.writable($0.count))
          #else
            writeBytes(number, $0.baseAddress, $0.count)
          #endif
        }
      }
      rest = rest.dropFirst(written)
    }
  }

  /// Where the last write to a descriptor opened for appending has ended: lseek(2).
  public func position() throws(SystemError) -> UInt64 {
    UInt64(try perform(.lseek, path) { Int(lseek(number, 0, SEEK_CUR)) })
  }

  /// Writes `bytes` from `offset` on: pwrite(2). On an error, a part of them can be written.
  public func write(_ bytes: Bytes, at offset: UInt64) throws(SystemError) {
    var rest = bytes[...]
    while !rest.isEmpty {
      let end = off_t(offset) + off_t(rest.startIndex)
      let written = try perform(.pwrite, path) {
        rest.withUnsafeBytes { pwrite(number, $0.baseAddress, $0.count, end) }
      }
      rest = rest.dropFirst(written)
    }
  }

  /// Up to `count` bytes from `offset`, fewer at the end of the file: pread(2).
  public func read(at offset: UInt64, upTo count: Int) throws(SystemError) -> Bytes {
    var failure: SystemError?
    let bytes = Bytes(unsafeUninitializedCapacity: count) { buffer, filled in
      do throws(SystemError) {
        while filled < count {
          let start = buffer.baseAddress.map { $0 + filled }
          let got = try perform(.pread, path) {
            pread(number, start, count - filled, off_t(offset) + off_t(filled))
          }
          if got == 0 { break }
          filled += got
        }
      } catch {
        failure = error
      }
    }
    if let failure { throw failure }
    return bytes
  }

  /// All bytes of a regular file: fstat(2), pread(2).
  public func contents() throws(SystemError) -> Bytes {
    try read(at: 0, upTo: Int(status().size))
  }

  /// Cuts the file to this many bytes, or fills it up with zeros: ftruncate(2).
  public func truncate(to size: UInt64) throws(SystemError) {
    try perform(.ftruncate, path) { ftruncate(number, off_t(size)) }
  }

  /// The extended attribute `name`; nil when there is none, or more than `limit` bytes of it:
  /// fgetxattr(2).
  public func attribute(_ name: String, upTo limit: Int) throws(SystemError) -> Bytes? {
    var failure: SystemError?
    let value = Bytes(unsafeUninitializedCapacity: limit) { buffer, count in
      do throws(SystemError) {
        count = try perform(.fgetxattr, path) {
          get_attribute(number, name, buffer.baseAddress, limit)
        }
      } catch {
        failure = error
      }
    }
    if let failure { throw failure }
    return value.isEmpty ? nil : value
  }

  /// Sets the extended attribute `name`: fsetxattr(2).
  public func setAttribute(_ name: String, to value: Bytes) throws(SystemError) {
    try perform(.fsetxattr, path) {
      value.withUnsafeBytes { set_attribute(number, name, $0.baseAddress, $0.count) }
    }
  }

  /// Gives the file `name` of this directory another name beside the one that it has: linkat(2).
  func link(_ name: Bytes, as new: Bytes) throws(SystemError) {
    try perform(.linkat, path.appending(new)) {
      Path(name).withCString { name in
        Path(new).withCString { linkat(number, name, number, $0, 0) }
      }
    }
  }

  /// Gives the file `old` of this directory the name `new`, in place of the file that had it:
  /// renameat(2). Whoever opens `new` gets the one or the other, whole.
  public func rename(_ old: Bytes, to new: Bytes) throws(SystemError) {
    try perform(.renameat, path.appending(new)) {
      Path(old).withCString { old in
        Path(new).withCString { renameat(number, old, number, $0) }
      }
    }
  }

  /// Gives the entry `old` of this directory the name `new`; an error when anything has that:
  /// renameat2(2).
  public func renameExclusively(_ old: Bytes, to new: Bytes) throws(SystemError) {
    try perform(.renameat2, path.appending(new)) {
      Path(old).withCString { old in
        Path(new).withCString { rename_exclusively(number, old, $0) }
      }
    }
  }
}

extension Path {
  /// Makes a new directory `PREFIX.XXXXXX` that only this user can enter, and returns its path:
  /// mkdtemp(3).
  public static func makeTemporaryDirectory(_ prefix: Path) throws(SystemError) -> Path {
    var template = (prefix.bytes + Bytes(".XXXXXX")).map { CChar(bitPattern: $0) } + [0]
    try perform(.mkdtemp, prefix) { mkdtemp(&template) == nil ? -1 : 0 }
    return Path(template.dropLast().map { UInt8(bitPattern: $0) })
  }

  /// Removes the directory with everything in it; links are not followed: unlinkat(2). What vanishes
  /// meanwhile is as good as removed.
  public func removeTree() throws(SystemError) {
    do throws(SystemError) {
      try Descriptor(opening: parent, .directory).removeTree(lastComponent)
    } catch {
      if error.errno != .notFound { throw error }
    }
  }
}

extension Descriptor {
  fileprivate func removeTree(_ name: Bytes) throws(SystemError) {
    let directory: Descriptor
    do throws(SystemError) {
      directory = try Descriptor(opening: name, in: self, .directoryNoLink)
    } catch {
      guard error.errno == .notDirectory || error.errno == .linkLoop else { throw error }
      return try removeFile(name)
    }
    var entries: [(name: Bytes, isDirectory: Bool)] = []
    try directory.forEachEntry { entry, kind in
      entries.append((Bytes(entry), kind == nil || kind == .directory))
    }
    for entry in entries {
      do throws(SystemError) {
        guard entry.isDirectory else {
          try directory.removeFile(entry.name)
          continue
        }
        // Most are empty.
        do throws(SystemError) {
          try directory.removeDirectory(entry.name)
        } catch {
          try directory.removeTree(entry.name)
        }
      } catch {
        if error.errno != .notFound { throw error }
      }
    }
    try removeDirectory(name)
  }
}
