/// Standard input, output and error of the process.
public enum StandardStream: Int32, Sendable {
  /// Descriptor 0.
  case input = 0
  /// Descriptor 1.
  case output = 1
  /// Descriptor 2.
  case error = 2

  /// Whether it is a terminal: isatty(3).
  public var isTerminal: Bool { libc_isatty(rawValue) == 1 }

  /// The width of the terminal in columns; nil if the stream is not a terminal or the width is
  /// unknown: ioctl(2).
  public var columns: Int? { size.flatMap { $0.ws_col > 0 ? Int($0.ws_col) : nil } }

  /// The height of the terminal in rows; nil if the stream is not a terminal or the height is
  /// unknown: ioctl(2).
  public var rows: Int? { size.flatMap { $0.ws_row > 0 ? Int($0.ws_row) : nil } }

  private var size: CInterop.WindowSize? {
    var size = CInterop.WindowSize()
    return libc_ioctl(rawValue, _TIOCGWINSZ, &size) == 0 ? size : nil
  }

  /// Reads up to 64 KiB, at least one byte unless the end is reached: read(2).
  public func readChunk() throws(SystemError) -> Bytes {
    while true {
      do {
        return try POSIX.readChunk(descriptor: rawValue, Path(""), upTo: 1 << 16)
      } catch {
        // The process that opened the stream set O_NONBLOCK.
        guard error.errno == .wouldBlock else { throw error }
        _ = try waits(for: _POLLIN, milliseconds: -1)
      }
    }
  }

  /// Whether there is something to read, or the end, before so many nanoseconds are over: poll(2).
  public func isReadable(within time: Duration) throws(SystemError) -> Bool {
    let milliseconds = min(time.nanoseconds / 1_000_000 + 1, 3_600_000)
    return try waits(for: _POLLIN, milliseconds: Int32(milliseconds))
  }

  /// Writes all of `bytes`: write(2). A closed pipe is an error and does not end the process.
  ///
  /// If a blocked termination signal arrives while the reader is slow, the call fails with `EINTR`.
  /// To notice the signal, the call waits in poll(2), never in write(2). After poll(2) reports the
  /// stream ready, it takes PIPE_BUF bytes at once: pipe(7).
  public func writeAll(_ bytes: Bytes) throws(SystemError) {
    libc_signal(_SIGPIPE, _SIG_IGN)
    var rest = bytes[...]
    while !rest.isEmpty {
      while try !waits(for: _POLLOUT, milliseconds: 100) {
        if TerminationSignals.isWaiting { throw SystemError(.write, Path(""), .interrupted) }
      }
      do {
        let chunk = rest.prefix(Int(_PIPE_BUF))
        rest = rest.dropFirst(try writeChunk(descriptor: rawValue, Path(""), chunk))
      } catch {
        guard error.errno == .wouldBlock else { throw error }
      }
    }
  }

  /// Whether the stream becomes ready in time: poll(2). A closed or broken stream counts as ready,
  /// because the next call reports the error.
  private func waits(for event: Int32, milliseconds: Int32) throws(SystemError) -> Bool {
    var request = CInterop.PollRequest(fd: rawValue, events: Int16(event), revents: 0)
    return try perform(.poll, Path("")) { libc_poll(&request, 1, milliseconds) } > 0
  }
}

extension Unicode.Scalar {
  /// Whether a terminal interprets this scalar instead of showing it: control characters, and marks
  /// that reverse the writing direction or break lines.
  public var actsOnTerminal: Bool {
    switch self {
    case "\0"..<" ", "\u{7F}"..<"\u{A0}": true
    case "\u{61C}", "\u{200E}", "\u{200F}", "\u{2028}"..."\u{202E}", "\u{2066}"..."\u{2069}": true
    default: false
    }
  }
}
