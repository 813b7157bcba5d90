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
            libc_write(number, $0.baseAddress, Fault.writable($0.count))
          #else
            libc_write(number, $0.baseAddress, $0.count)
          #endif
        }
      }
      rest = rest.dropFirst(written)
    }
  }

  /// Where the last write to a descriptor opened for appending has ended: lseek(2).
  public func position() throws(SystemError) -> UInt64 {
    UInt64(try perform(.lseek, path) { Int(libc_lseek(number, 0, _SEEK_CUR)) })
  }

  /// Writes `bytes` from `offset` on: pwrite(2). On an error, a part of them can be written.
  public func write(_ bytes: Bytes, at offset: UInt64) throws(SystemError) {
    var rest = bytes[...]
    while !rest.isEmpty {
      let end = CInterop.Offset(offset) + CInterop.Offset(rest.startIndex)
      let written = try perform(.pwrite, path) {
        rest.withUnsafeBytes { libc_pwrite(number, $0.baseAddress, $0.count, end) }
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
            libc_pread(
              number, start, count - filled, CInterop.Offset(offset) + CInterop.Offset(filled))
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
    try perform(.ftruncate, path) { libc_ftruncate(number, CInterop.Offset(size)) }
  }

  /// Reads everything from the current position to the end: read(2). More than `limit` bytes are the
  /// error `EFBIG`.
  public func readToEnd(atMost limit: Int = .max) throws(SystemError) -> Bytes {
    var contents = Bytes()
    while true {
      let chunk = try readChunk(descriptor: number, path, upTo: 1 << 16)
      if chunk.isEmpty { return contents }
      contents += chunk
      if contents.count > limit { throw SystemError(.read, path, .fileTooLarge) }
    }
  }
}

/// Up to `limit` bytes, at least one unless the end is reached: read(2).
func readChunk(descriptor: Int32, _ path: Path, upTo limit: Int) throws(SystemError) -> Bytes {
  var failure: SystemError?
  let chunk = Bytes(unsafeUninitializedCapacity: limit) { buffer, count in
    do throws(SystemError) {
      count = try perform(.read, path) { libc_read(descriptor, buffer.baseAddress, limit) }
    } catch {
      failure = error
      count = 0
    }
  }
  if let failure { throw failure }
  return chunk
}
