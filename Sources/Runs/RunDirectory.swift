import POSIX

/// The directories of runs.
public enum RunDirectory {
  /// Creates the directory of a new run in `parent`, which is created if it is missing.
  ///
  /// Its name is the id of the run, such as `20261121T083000Z-001`. Ids sort by time. The number at
  /// the end distinguishes runs of the same second, because mkdir(2) gives a name to one of them
  /// only.
  public static func create(in parent: Path, at time: WallTime = .now) throws(SystemError) -> Path {
    try parent.makeDirectoryWithParents()
    var number: UInt64 = 1
    while true {
      let path = parent.appending("\(time.stamp)-\(number.padded(to: 3))")
      do throws(SystemError) {
        try path.makeDirectory()
        return path
      } catch {
        guard error.errno == .exists else { throw error }
        number += 1
      }
    }
  }
}

extension WallTime {
  /// The time as a part of names that sort by it: `20261121T083000Z`.
  public var stamp: String { rfc3339.filter { $0 != "-" && $0 != ":" } }
}
