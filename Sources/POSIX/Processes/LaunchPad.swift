/// Where children wait until all of them are let go at once: pipe(2).
public struct Barrier: ~Copyable {
  fileprivate let read: Int32
  fileprivate let write: Int32

  /// A barrier that is closed.
  public init() throws(SystemError) {
    var ends: (Int32, Int32) = (-1, -1)
    try perform(.pipe, Path("")) {
      withUnsafeMutableBytes(of: &ends) {
        libc_pipe($0.assumingMemoryBound(to: Int32.self).baseAddress)
      }
    }
    read = ends.0
    write = ends.1
    for end in [read, write] { _ = libc_fcntl(end, _F_SETFD, _FD_CLOEXEC) }
  }

  /// Lets all go who wait: the end of the file reaches them at the same moment.
  public consuming func open() {}

  deinit {
    libc_close(write)
    libc_close(read)
  }
}

/// A place from which one child after the other is started. Until its program runs, a child works in
/// the memory of this process (clone(2) with CLONE_VM), and what it needs lies here: the next one is
/// started, and the place let go, only when the one before has ended.
public final class LaunchPad {
  private let launch: UnsafeMutablePointer<process_launch>
  private let stack: UnsafeMutableRawPointer
  /// The arguments one after another, each with its NUL.
  private var strings = UnsafeMutableBufferPointer<CChar>.allocate(capacity: 0)
  private var arguments = UnsafeMutableBufferPointer<UnsafeMutablePointer<CChar>?>.allocate(
    capacity: 0)

  /// An empty place.
  public init() {
    launch = .allocate(capacity: 1)
    stack = .allocate(byteCount: _LAUNCH_STACK, alignment: 16)
  }

  deinit {
    launch.deallocate()
    stack.deallocate()
    strings.deallocate()
    arguments.deallocate()
  }

  /// Starts a child that executes `program` with `words`, the first of which is its own name, as soon
  /// as `barrier` is opened: clone(2) or fork(2), and execve(2). It has a process group of its own and
  /// an empty standard input. Where the system can do that, it dies with this process.
  ///
  /// `descriptorLimit` is the number of descriptors that it may have (RLIMIT_NOFILE).
  public func start(
    _ program: Path, _ words: [Bytes], output: borrowing Descriptor, error: borrowing Descriptor,
    descriptorLimit: Int? = nil, behind barrier: borrowing Barrier
  ) throws(SystemError) -> ChildProcess {
    let name = place([program.bytes] + words)
    launch.initialize(
      to: process_launch(
        program: name, arguments: arguments.baseAddress, output: output.number,
        error: error.number, barrier_read: barrier.read, barrier_write: barrier.write,
        descriptor_limit: descriptorLimit ?? -1, parent: 0, stack: stack))
    let id = try perform(.fork, program) { launch_process(launch) }
    // Both do it, so that it is done before either goes on.
    libc_setpgid(id, id)
    return ChildProcess(id: id)
  }

  /// Copies the words to where they stay; the first one is the program, the others are its arguments.
  private func place(_ words: [Bytes]) -> UnsafeMutablePointer<CChar>? {
    strings.deallocate()
    arguments.deallocate()
    strings = .allocate(capacity: words.reduce(0) { $0 + $1.count + 1 })
    arguments = .allocate(capacity: words.count)
    var offset = 0
    for (index, word) in words.enumerated() {
      if index > 0 {
        arguments.initializeElement(at: index - 1, to: strings.baseAddress.map { $0 + offset })
      }
      for byte in word + [0] {
        strings.initializeElement(at: offset, to: CChar(bitPattern: byte))
        offset += 1
      }
    }
    arguments.initializeElement(at: words.count - 1, to: nil)
    return strings.baseAddress
  }
}
