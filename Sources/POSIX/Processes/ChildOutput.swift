/// A pipe from children to this process, and a descriptor on which it sees signals: pipe(2), signalfd(2).
final class ChildOutput {
  /// The end that this process reads from; -1 when there is nothing more to read.
  private(set) var reading: Int32 = -1
  /// The end that children get; -1 when it is closed here.
  private(set) var writing: Int32 = -1
  /// Readable while there is a signal of ``ProcessEvents``; -1 where the system has no such thing.
  let signals: Int32
  private let path: Path
  private var keep: ((Bytes) throws(SystemError) -> Void)?

  /// A pipe for the children of `path`. What comes out of it goes to `keep`.
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

  /// Closes the end that children have got: close(2).
  func closeWriting() {
    libc_close(writing)
    writing = -1
  }

  /// From now on, what comes is dropped.
  func discard() { keep = nil }

  /// Reads what is there, or the end: read(2).
  func read(upTo limit: Int = 1 << 16) throws(SystemError) {
    let chunk = try readChunk(descriptor: reading, path, upTo: limit)
    if chunk.isEmpty {
      libc_close(reading)
      reading = -1
    } else {
      try keep?(chunk)
    }
  }

  /// Reads the bytes that are in the pipe now, and none that are written later: ioctl(2).
  func drain() throws(SystemError) {
    var left: Int32 = 0
    if reading >= 0 { try perform(.ioctl, path) { libc_ioctl(reading, _FIONREAD, &left) } }
    // A pipe holds little.
    while reading >= 0, left > 0 {
      let count = min(left, 1 << 16)
      try read(upTo: Int(count))
      left -= count
    }
  }
}
