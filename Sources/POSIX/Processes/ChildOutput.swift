/// The pipe that carries the output of children, and a descriptor that reports signals: pipe(2),
/// signalfd(2).
final class ChildOutput {
  /// The read end; -1 after the end of the output.
  private(set) var reading: Int32 = -1
  /// The write end, which children inherit; -1 once closed here.
  private(set) var writing: Int32 = -1
  /// Readable while a signal of ``ProcessEvents`` is pending; -1 where signalfd(2) is missing.
  let signals: Int32
  private let path: Path
  private var keep: ((Bytes) throws(SystemError) -> Void)?

  /// Creates a pipe for the children of `path`. Each block that is read goes to `keep`.
  init(
    of path: Path, _ keep: @escaping (Bytes) throws(SystemError) -> Void
  ) throws(SystemError) {
    self.path = path
    self.keep = keep
    var set = ProcessEvents.set
    signals = signal_file(&set)
    var ends: [Int32] = [-1, -1]
    try perform(.pipe, path) { libc_pipe(&ends) }
    reading = try Descriptor.aboveStandardStreams(ends[0], path)
    writing = try Descriptor.aboveStandardStreams(ends[1], path)
    for end in [reading, writing] { _ = libc_fcntl(end, _F_SETFD, _FD_CLOEXEC) }
  }

  deinit {
    for descriptor in [reading, writing, signals] where descriptor >= 0 { libc_close(descriptor) }
  }

  /// Closes the write end, once children have inherited it: close(2).
  func closeWriting() {
    libc_close(writing)
    writing = -1
  }

  /// Drops all later output.
  func discard() { keep = nil }

  /// Reads the next block, or the end of the output: read(2).
  func read(upTo limit: Int = 1 << 16) throws(SystemError) {
    let chunk = try readChunk(descriptor: reading, path, upTo: limit)
    if chunk.isEmpty {
      libc_close(reading)
      reading = -1
    } else {
      try keep?(chunk)
    }
  }

  /// Reads the bytes that are in the pipe now, but none written later: ioctl(2).
  func drain() throws(SystemError) {
    var left: Int32 = 0
    if reading >= 0 { try perform(.ioctl, path) { libc_ioctl(reading, _FIONREAD, &left) } }
    while reading >= 0, left > 0 {
      let count = min(left, 1 << 16)
      try read(upTo: Int(count))
      left -= count
    }
  }
}
