import POSIX

/// A process that holds a lock.
public struct LockHolder: Hashable, Sendable {
  /// Its id in the pid namespace of this process.
  public let process: Int
  /// Its command line, arguments separated by spaces; empty when it cannot be read.
  public let command: Bytes

  /// The process that holds the flock(2) of the file at `path`; nil if the system does not tell.
  ///
  /// The source is /proc, see proc(5). A process holds the lock if one of its open files is this file and
  /// has a `lock:` line in fdinfo. The process that /proc/locks names took the lock, so it is the first to
  /// check; after `exec 9>file; flock 9` it is gone, and its shell holds the lock. For a process of another
  /// user, only /proc/locks tells.
  ///
  /// - Parameter readings: How often to read /proc/locks: while many locks come and go, a reading can miss
  ///   one.
  public static func of(_ path: Path, readings: Int = 3) -> LockHolder? {
    for _ in 0..<readings {
      if let holder = read(path) { return holder }
    }
    return nil
  }

  private static func read(_ path: Path) -> LockHolder? {
    guard let file = try? FileStatus.of(path), let locks = contents(of: Path("/proc/locks")) else {
      return nil
    }
    let takers = takers(ofLockOn: file, in: locks)
    let others = entries(of: Path("/proc")).compactMap { Int(String(decoding: $0, as: UTF8.self)) }
    let holder =
      takers.map(\.process).first { holds($0, file) }
      ?? (takers.isEmpty ? nil : others.first { holds($0, file) })
      ?? takers.first { $0.isSameDevice }?.process
    return holder.map { LockHolder(process: $0, command: commandLine(of: $0)) }
  }

  /// The processes that took a lock on a file with this inode. On btrfs and overlayfs, the device in
  /// /proc/locks can differ from that of stat(2), and then proves nothing.
  ///
  /// A line looks like `1: FLOCK  ADVISORY  WRITE 708 08:01:2490371 0 EOF`, with the device in hexadecimal.
  /// The line of a waiting process has an arrow after the colon.
  static func takers(
    ofLockOn file: FileStatus, in locks: Bytes
  ) -> [(process: Int, isSameDevice: Bool)] {
    locks.split(separator: UInt8(ascii: "\n")).compactMap { line in
      let fields = line.split(separator: UInt8(ascii: " ")).map {
        String(decoding: $0, as: UTF8.self)
      }
      guard fields.count >= 6, fields[1] == "FLOCK", let process = Int(fields[4]) else {
        return nil
      }
      let place = fields[5].split(separator: ":")
      guard place.count == 3, let inode = UInt64(place[2]), inode == file.inode,
        let major = UInt64(place[0], radix: 16), let minor = UInt64(place[1], radix: 16)
      else { return nil }
      return (process, major == file.deviceMajor && minor == file.deviceMinor)
    }
  }

  private static func holds(_ process: Int, _ file: FileStatus) -> Bool {
    let directory = Path("/proc/\(process)")
    return entries(of: directory.appending("fd")).contains { descriptor in
      guard let open = try? FileStatus.of(directory.appending("fd").appending(descriptor)),
        open.isSameFile(as: file),
        let info = contents(of: directory.appending("fdinfo").appending(descriptor))
      else { return false }
      return String(decoding: info, as: UTF8.self).contains("FLOCK")
    }
  }

  private static func commandLine(of process: Int) -> Bytes {
    guard var line = contents(of: Path("/proc/\(process)/cmdline")) else { return [] }
    while line.last == 0 { line.removeLast() }
    return line.map { $0 == 0 ? UInt8(ascii: " ") : $0 }
  }

  private static func contents(of path: Path) -> Bytes? {
    try? Descriptor(opening: path, .read).readToEnd()
  }

  private static func entries(of path: Path) -> [Bytes] {
    var names: [Bytes] = []
    try? Descriptor(opening: path, .directory).forEachEntry { name, _ in names.append(Bytes(name)) }
    return names
  }
}
