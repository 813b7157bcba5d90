import Foundation
import POSIX

/// An empty directory that goes with this value, whatever is in it.
public final class TemporaryDirectory: Sendable {
  /// Its absolute path, links resolved.
  public let path: String

  /// Makes it.
  public init() {
    let parent = FileManager.default.temporaryDirectory.resolvingSymlinksInPath()
    let url = parent.appendingPathComponent("topic-alloc-tests-\(UUID().uuidString)")
    do {
      try FileManager.default.createDirectory(at: url, withIntermediateDirectories: false)
    } catch {
      fatalError("cannot make \(url.path): \(error)")
    }
    path = url.path
  }

  deinit {
    // Directories that a test made unreadable have to be opened first.
    _ = try? run(["chmod", "-R", "u+rwx", path])
    _ = try? run(["rm", "-rf", path])
  }

  /// The path of `name` in it.
  public func callAsFunction(_ name: String) -> String { path + "/" + name }

  /// Makes directories of these names, and those above them.
  public func makeDirectories(_ names: String...) throws {
    for name in names {
      try FileManager.default.createDirectory(
        atPath: self(name), withIntermediateDirectories: true)
    }
  }

  /// Makes an empty file, or one with this text.
  public func makeFile(_ name: String, _ text: String = "") throws {
    try Data(text.utf8).write(to: URL(fileURLWithPath: self(name)))
  }

  /// The names in one of its directories, sorted; those that begin with a dot are left out.
  public func entries(_ name: String = ".") -> [String] {
    let all = try? FileManager.default.contentsOfDirectory(atPath: self(name))
    return (all ?? []).filter { !$0.hasPrefix(".") }.sorted()
  }
}
