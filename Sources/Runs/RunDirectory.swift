import POSIX

/// The directory of one run among those of others.
public enum RunDirectory {
  /// Makes a directory in `parent`, which is made when it is missing, and returns its path. Its name
  /// is the run's id, such as `20261121T083000Z-001`: names sort by time, and the number at the end
  /// keeps runs of one second apart, as mkdir(2) gives a name to one of them only.
  public static func create(in parent: Path, at time: WallTime = .now) throws(SystemError) -> Path {
    try parent.makeDirectoryWithParents()
    let stamp = time.rfc3339.filter { $0 != "-" && $0 != ":" }
    var number = 1
    while true {
      let digits = String(number)
      let suffix = String(repeating: "0", count: max(3 - digits.count, 0)) + digits
      let path = parent.appending("\(stamp)-\(suffix)")
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
