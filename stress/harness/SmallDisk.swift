import CommandLine
import POSIX

/// A small file system that runs full: a tmpfs(5) in a mount namespace of this process. It
/// disappears with the process, however that ends.
final class SmallDisk {
  /// The mount point.
  let path: Path
  private let fillers: Path
  private var count = 0

  /// Mounts a file system with room for `files` files on the existing directory `path`.
  init(at path: Path, files: Int) throws(Failure) {
    do throws(SystemError) {
      try path.mountPrivateTmpfs(files: files)
      self.path = path
      fillers = path.appending("fillers")
      try fillers.makeDirectory()
    } catch {
      throw Failure(
        .noPermission, "--chaos full cannot mount a small file system: \(error.errno.message)",
        advice: "run as root, or allow user namespaces (sysctl user.max_user_namespaces)")
    }
  }

  /// Adds or removes empty files until exactly `wanted` more files have room.
  func leaveFree(_ wanted: Int) throws(SystemError) {
    let directory = try Descriptor(opening: fillers, .directory)
    var free = Int(try path.freeInodes())
    while free > wanted {
      count += 1
      _ = try Descriptor(opening: Bytes("\(count)"), in: directory, .creatingNew(.ofFile))
      free -= 1
    }
    while free < wanted, count > 0 {
      try directory.removeFile(Bytes("\(count)"))
      count -= 1
      free += 1
    }
  }
}
