/// Holds children back, then releases all of them at once: pipe(2).
public struct Barrier: ~Copyable {
  fileprivate let read: Int32
  fileprivate let write: Int32

  /// Creates a closed barrier.
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

  /// Releases all waiting children: they see the end of the file at the same moment.
  public consuming func open() {}

  deinit {
    libc_close(write)
    libc_close(read)
  }
}

/// Starts children one after another, with as little work as possible for each.
///
/// Until it executes its program, a child runs in the memory of this process: clone(2) with
/// CLONE_VM. It reads its arguments from this object and uses the stack that this object owns. Keep
/// the object until the child has ended, and start the next child only then.
public final class LaunchPad {
  private let launch: UnsafeMutablePointer<process_launch>
  private let stack: UnsafeMutableRawPointer
  /// The program and its arguments, each with its NUL.
  private var strings = UnsafeMutableBufferPointer<CChar>.allocate(capacity: 0)
  private var arguments = UnsafeMutableBufferPointer<UnsafeMutablePointer<CChar>?>.allocate(
    capacity: 0)

  /// Creates a launch pad.
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

  /// Starts a child that executes `program` once `barrier` opens: clone(2) or fork(2), and
  /// execve(2).
  ///
  /// The child leads its own process group and has an empty standard input. It dies with this
  /// process if the system supports that.
  ///
  /// - Parameters:
  ///   - program: The path of the executable.
  ///   - words: The arguments, beginning with the name of the program.
  ///   - output: Its standard output.
  ///   - error: Its standard error.
  ///   - descriptorLimit: How many descriptors it may have (RLIMIT_NOFILE).
  ///   - barrier: The barrier that it waits for.
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
    // Parent and child both call it, so the group exists whichever runs first.
    libc_setpgid(id, id)
    return ChildProcess(id: id)
  }

  /// Copies the program and its arguments to memory that outlives the call.
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
