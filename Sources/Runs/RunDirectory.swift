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
    var number = 1
    while true {
      let digits = String(number)
      let suffix = String(repeating: "0", count: max(3 - digits.count, 0)) + digits
      let path = parent.appending("\(time.stamp)-\(suffix)")
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
