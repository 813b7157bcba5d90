import POSIX

/// Processes, as /proc shows them.
enum Processes {
  /// The children of this process, adopted ones included, with their command lines.
  static func children() -> [(id: Int32, command: Bytes)] {
    let list = contents("self/task/\(System.process)/children")
    return list.split(separator: UInt8(ascii: " ")).compactMap { word in
      guard let id = Int32(String(decoding: word, as: UTF8.self)) else { return nil }
      let line = contents("\(id)/cmdline").map { $0 == 0 ? UInt8(ascii: " ") : $0 }
      return (id, line.last == UInt8(ascii: " ") ? line.dropLast() : line)
    }
  }

  private static func contents(_ name: String) -> Bytes {
    (try? Descriptor(opening: Path("/proc/" + name), .read).readToEnd()) ?? []
  }
}
