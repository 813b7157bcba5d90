import Git
import POSIX

/// Replaces old names of entries with new ones in the lines of a file.
///
/// A name counts only as a whole word: `042_a` is not part of `042_a_long`, `1042_a` or `042_a.md`.
/// A path before it, such as `doc/042_a`, must not lead to an entry of that name in another
/// directory.
///
/// The result is the same after the entries have moved: then a path leads there with their new
/// names.
struct Rewriting: Equatable {
  /// The names of entries, longest first. Entries that stay have no new name.
  private let names: [Name]
  /// The first bytes of the names. Few words of a text start with one, so most are not compared
  /// with every name.
  private let beginnings: Set<UInt8>
  private let root: Path
  private let top: Path

  private struct Name: Equatable {
    let old: Bytes
    let new: Bytes?
  }

  /// Creates a rewriting for `moves` in the root of `repository`.
  init(_ moves: [Renumbering.Move], in repository: Repository) throws(GitError) {
    top = repository.workTree
    root = repository.directory
    let moving = Set(moves.map(\.old))
    var staying: [Bytes] = []
    do throws(SystemError) {
      try Descriptor(opening: root, .directory).forEachEntry { entry, _ in
        let name = Bytes(entry)
        if !moving.contains(name), moving.contains(where: { name.starts(with: $0) }) {
          staying.append(name)
        }
      }
    } catch {
      throw .system(error)
    }
    // If one name begins with another, the longer one wins.
    names = (moves.map { Name(old: $0.old, new: $0.new) } + staying.map { Name(old: $0, new: nil) })
      .sorted { $0.old.count > $1.old.count }
    beginnings = Set(names.compactMap(\.old.first))
  }

  /// Returns the lines of `text`, the contents of `file`, with the new names.
  func lines(of text: Bytes, in file: Path) -> [Bytes] {
    // The directories that a relative path can start from.
    let bases = [file.parent, top]
    return text.split(separator: .newline, omittingEmptySubsequences: false)
      .map { line(Bytes($0), bases) }
  }

  private func line(_ text: Bytes, _ bases: [Path]) -> Bytes {
    var result = Bytes()
    var index = 0
    while index < text.count {
      let rest = text[index...]
      let isBegin = index == 0 || !Self.isNamePart(text[index - 1])
      if isBegin, beginnings.contains(text[index]),
        let name = names.first(where: { Self.isWord($0.old, in: rest) }),
        !isElsewhere(name.old, after: text[..<index], bases),
        !isElsewhere(name.old, after: result[...], bases)
      {
        result += name.new ?? name.old
        index += name.old.count
      } else {
        result.append(text[index])
        index += 1
      }
    }
    return result
  }

  /// Whether the path at the end of `text` leads to an entry of this name in another directory.
  private func isElsewhere(_ name: Bytes, after text: ArraySlice<UInt8>, _ bases: [Path]) -> Bool {
    let slash = UInt8(ascii: "/")
    guard text.last == slash else { return false }
    let path = Bytes(
      text.reversed().prefix { $0 == slash || $0 == UInt8(ascii: ".") || Self.isNamePart($0) }
        .reversed())
    var isElsewhere = false
    for place in path.first == slash ? [Path(path)] : bases.map({ $0.appending(path) }) {
      guard let directory = try? place.resolved() else { continue }
      if directory == root { return false }
      if directory.appending(name).isReachable { isElsewhere = true }
    }
    return isElsewhere
  }

  private static func isWord(_ name: Bytes, in text: ArraySlice<UInt8>) -> Bool {
    guard text.starts(with: name) else { return false }
    let rest = text.dropFirst(name.count)
    guard let next = rest.first else { return true }
    // A period belongs to a name if more of the name follows.
    if next == UInt8(ascii: "."), let after = rest.dropFirst().first { return !isNamePart(after) }
    return !isNamePart(next)
  }

  private static func isNamePart(_ byte: UInt8) -> Bool {
    switch byte {
    case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
      UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "_"), UInt8(ascii: "-"), 0x80...:
      true
    default: false
    }
  }
}
