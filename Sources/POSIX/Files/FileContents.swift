extension Descriptor {
  /// Writes `bytes` at the end, in one write(2) if the file system takes all of them.
  ///
  /// On a descriptor opened for appending, a single write stays in one piece, even if others append
  /// at the same time.
  public func write(_ bytes: Bytes) throws(SystemError) {
    var rest = bytes[...]
    while !rest.isEmpty {
      rest = rest.dropFirst(try writeChunk(descriptor: number, path, rest))
    }
  }

  /// The current offset: lseek(2). After a write to a descriptor opened for appending, that is the
  /// end of the write.
  public func position() throws(SystemError) -> UInt64 {
    UInt64(try perform(.lseek, path) { Int(libc_lseek(number, 0, _SEEK_CUR)) })
  }

  /// Writes `bytes` at `offset`: pwrite(2). After an error, part of them may be written.
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

  /// Reads up to `count` bytes at `offset`, fewer at the end of the file: pread(2).
  public func read(at offset: UInt64, upTo count: Int) throws(SystemError) -> Bytes {
    var failure: SystemError?
    let bytes = Bytes(unsafeUninitializedCapacity: count) { buffer, filled in
      do throws(SystemError) {
        filled = try read(at: offset, into: UnsafeMutableRawBufferPointer(buffer))
      } catch {
        failure = error
      }
    }
    if let failure { throw failure }
    return bytes
  }

  /// Fills `buffer` with the bytes at `offset`, and returns how many there are, fewer at the end of
  /// the file: pread(2).
  public func read(
    at offset: UInt64, into buffer: UnsafeMutableRawBufferPointer
  ) throws(SystemError) -> Int {
    var filled = 0
    while filled < buffer.count {
      let rest = UnsafeMutableRawBufferPointer(rebasing: buffer[filled...])
      let end = CInterop.Offset(offset) + CInterop.Offset(filled)
      let got = try perform(.pread, path) {
        libc_pread(number, rest.baseAddress, rest.count, end)
      }
      if got == 0 { break }
      filled += got
    }
    return filled
  }

  /// Reads a whole regular file: fstat(2), pread(2).
  public func contents() throws(SystemError) -> Bytes {
    try read(at: 0, upTo: Int(status().size))
  }

  /// Sets the size of the file: ftruncate(2). A longer file is cut; a shorter one is filled with
  /// zeros.
  public func truncate(to size: UInt64) throws(SystemError) {
    try perform(.ftruncate, path) { libc_ftruncate(number, CInterop.Offset(size)) }
  }

  /// Reads from the current position to the end: read(2).
  ///
  /// - Throws: `EFBIG` if there are more than `limit` bytes.
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

/// Writes the first of `bytes`, and returns how many: write(2).
func writeChunk(
  descriptor: Int32, _ path: Path, _ bytes: ArraySlice<UInt8>
) throws(SystemError) -> Int {
  try perform(.write, path) {
    bytes.withUnsafeBytes {
      #if DEBUG
        libc_write(descriptor, $0.baseAddress, Fault.writable($0.count))
      #else
        libc_write(descriptor, $0.baseAddress, $0.count)
      #endif
    }
  }
}

/// Reads up to `limit` bytes, at least one unless the end is reached: read(2).
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
