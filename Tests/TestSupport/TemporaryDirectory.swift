import Foundation
import POSIX

/// A new directory, removed with its contents when this value is destroyed.
public final class TemporaryDirectory: Sendable {
  /// Its absolute path, with links resolved.
  public let path: String

  /// Creates the directory.
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
    // Makes unreadable directories accessible first.
    _ = try? run(["chmod", "-R", "u+rwx", path])
    _ = try? run(["rm", "-rf", path])
  }

  /// The path of `name` in the directory.
  public func callAsFunction(_ name: String) -> String { path + "/" + name }

  /// Creates directories with these names, and their parents.
  public func makeDirectories(_ names: String...) throws {
    for name in names {
      try FileManager.default.createDirectory(
        atPath: self(name), withIntermediateDirectories: true)
    }
  }

  /// Creates a file with this text.
  public func makeFile(_ name: String, _ text: String = "") throws {
    try Data(text.utf8).write(to: URL(fileURLWithPath: self(name)))
  }

  /// The names in a directory, sorted, without those that start with a dot.
  public func entries(_ name: String = ".") -> [String] {
    let all = try? FileManager.default.contentsOfDirectory(atPath: self(name))
    return (all ?? []).filter { !$0.hasPrefix(".") }.sorted()
  }
}
