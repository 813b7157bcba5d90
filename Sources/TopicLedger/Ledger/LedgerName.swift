import POSIX

/// The name that a root has among the refs of a repository.
///
/// Letters a-z, digits, `_` and `-` stand for themselves, every other byte is `%` and two hexadecimal
/// digits. So any path makes a legal name (git-check-ref-format(1)), no two roots have the same, also
/// where file names do not tell upper from lower case, and none is the directory of another: `specs`
/// and `specs/a` would be.
struct LedgerName {
  /// The last component of the ref: `specs`, `%2eclaude%2fspecs`; `%` for the work tree itself.
  let text: String

  /// A name that is longer could not be the name of a file.
  static let longest = 180

  /// The name of the root at `path` in its work tree; nil when it is too long to be spelled.
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

  /// The name of a root whose path is too long: `%-`, which no path is spelled with, and the id that git
  /// gives to the path as a blob.
  init(blob: Bytes) {
    text = "%-" + String(decoding: blob, as: UTF8.self)
  }

  /// The ledger: in the repository, for all its work trees, and on a remote, for all its clones.
  var ledger: String { "refs/topic-alloc/" + text }

  /// The last that was seen of the ledger of a remote.
  func tracking(_ remote: String) -> String { seen(remote, as: "") }

  /// What the ledger of a remote had been, with this tip, before it was rewound or deleted there.
  func superseded(_ remote: String, _ tip: String) -> String { seen(remote, as: "%was%" + tip) }

  private func seen(_ remote: String, as suffix: String) -> String {
    let name = LedgerName(spelling: Bytes(remote))?.text ?? "%"
    return "refs/topic-alloc-remotes/" + name + suffix + "/" + text
  }

  /// The pattern of both for all remotes.
  var trackingPattern: String { "refs/topic-alloc-remotes/*/" + text }
}
