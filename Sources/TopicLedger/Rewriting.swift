import POSIX

/// Puts the new names of entries in the place of the old ones in the lines of a file.
///
/// A name counts as a word of its own: `042_a` is no part of `042_a_long`, `1042_a` or `042_a.md`. A path
/// before it, such as `doc/042_a`, must not lead to an entry of that name in another directory.
struct Rewriting {
  private let moves: [Renumbering.Move]
  private let root: Path
  /// From where a relative path can be meant: the file's directory, and the top of the work tree.
  private let bases: [Path]

  /// What `moves` in the root of `repository` make of the file at `file`.
  init(_ moves: [Renumbering.Move], of file: Path, in repository: Repository) {
    // Of two names of which one begins with the other, the longer one is meant where it stands.
    self.moves = moves.sorted { $0.old.count > $1.old.count }
    let top = repository.workTree
    root = repository.relativeRoot.isEmpty ? top : top.appending(repository.relativeRoot)
    bases = [file.parent, top]
  }

  /// The line with the new names.
  func line(_ text: Bytes) -> Bytes {
    var result = Bytes()
    var index = 0
    while index < text.count {
      let rest = text[index...]
      let isBegin = index == 0 || !Self.isNamePart(text[index - 1])
      if isBegin, let move = moves.first(where: { Self.isWord($0.old, in: rest) }),
        !isElsewhere(move.old, behind: text[..<index])
      {
        result += move.new
        index += move.old.count
      } else {
        result.append(text[index])
        index += 1
      }
    }
    return result
  }

  /// Whether the path that `text` ends with leads to an entry of this name in another directory.
  private func isElsewhere(_ name: Bytes, behind text: ArraySlice<UInt8>) -> Bool {
    let slash = UInt8(ascii: "/")
    guard text.last == slash else { return false }
    let path = Bytes(
      text.reversed().prefix { $0 == slash || $0 == UInt8(ascii: ".") || Self.isNamePart($0) }
        .reversed())
    let places = (path.first == slash ? [Path(path)] : bases.map { $0.appending(path) })
      .filter { $0.appending(name).isReachable }
      .compactMap { try? $0.resolved() }
    return !places.isEmpty && !places.contains(root)
  }

  private static func isWord(_ name: Bytes, in text: ArraySlice<UInt8>) -> Bool {
    guard text.starts(with: name) else { return false }
    let rest = text.dropFirst(name.count)
    guard let next = rest.first else { return true }
    // A full stop belongs to a name when more of it follows.
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
