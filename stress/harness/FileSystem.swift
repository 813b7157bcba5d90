import POSIX

enum FileSystem {
  /// The type of the file system that holds `path`, by /proc/self/mountinfo (proc(5)); nil if that
  /// does not tell.
  static func type(of path: Path) -> String? {
    guard let status = try? FileStatus.of(path),
      let mounts = try? Descriptor(opening: Path("/proc/self/mountinfo"), .read).readToEnd()
    else { return nil }
    let device = "\(status.deviceMajor):\(status.deviceMinor)"
    for line in mounts.split(separator: .newline) {
      let fields = String(decoding: line, as: UTF8.self).split(separator: " ")
      guard fields.count > 3, fields[2] == device, let dash = fields.firstIndex(of: "-"),
        dash + 1 < fields.count
      else { continue }
      return String(fields[dash + 1])
    }
    return nil
  }
}
