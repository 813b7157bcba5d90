import Git
import POSIX

/// The name of a root among the refs of a repository.
///
/// Letters a-z, digits, `_` and `-` stand for themselves; any other byte becomes `%` and two
/// hexadecimal digits. This gives three properties:
///
/// - Every path has a legal ref name (git-check-ref-format(1)).
/// - No two roots share a name, even where file names ignore case.
/// - No name is a directory of another, as `specs` would be of `specs/a`.
struct LedgerName {
  /// The last component of the ref: `specs`, `%2eclaude%2fspecs`; `%` for the work tree itself.
  let text: String

  /// The longest spelling, in bytes. Git may store a ref as a file, and file names are limited to 255.
  private static let longest = 180

  /// The name of the root that `repository` holds.
  ///
  /// A path that is too long to spell is replaced by its object ID as a blob: git-hash-object(1).
  /// `%-` precedes the ID, because no spelling starts with that.
  init(of repository: Repository) throws(GitError) {
    let path = repository.relativePath
    if let spelled = LedgerName(spelling: path) {
      self = spelled
      return
    }
    let blob = try repository.git.run([Bytes("hash-object"), Bytes("--stdin")], input: path)
    text = "%-" + String(decoding: blob, as: UTF8.self)
  }

  /// Spells `path`, the path of a root in its work tree; nil if that is too long.
  init?(spelling path: Bytes) {
    var name = Bytes()
    for byte in path {
      switch byte {
      case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "0")...UInt8(ascii: "9"),
        UInt8(ascii: "_"), UInt8(ascii: "-"):
        name.append(byte)
      default:
        name.append(UInt8(ascii: "%"))
        name.append(hexadecimal: byte)
      }
    }
    if name.count > Self.longest { return nil }
    text = name.isEmpty ? "%" : String(decoding: name, as: UTF8.self)
  }

  /// The ref of the ledger: in the repository for all its work trees, on a remote for all its clones.
  var ledger: String { "refs/topic-alloc/" + text }

  /// The tracking ref: the ledger of a remote as this repository last saw it.
  func tracking(_ remote: String) -> String { seen(remote, as: "") }

  /// The ref that keeps a former `tip` of a remote's ledger after a rewind or deletion there.
  func superseded(_ remote: String, _ tip: String) -> String { seen(remote, as: "%was%" + tip) }

  private func seen(_ remote: String, as suffix: String) -> String {
    let name = LedgerName(spelling: Bytes(remote))?.text ?? "%"
    return "refs/topic-alloc-remotes/" + name + suffix + "/" + text
  }

  /// A pattern that matches the tracking and superseded refs of all remotes.
  var trackingPattern: String { "refs/topic-alloc-remotes/*/" + text }
}
