import POSIX
import Runs
import Testing

/// The examples of NIST for FIPS 180-4, and the digest of feedback.
@Suite(.timeLimit(.minutes(20))) struct SHA256Tests {
  private func hash(_ text: Bytes) -> String {
    var hash = SHA256()
    hash.add(text)
    return hash.hexadecimal()
  }

  @Test(
    "The examples of NIST are met, however the text is split",
    arguments: [
      ("", "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"),
      ("abc", "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"),
      (
        "abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq",
        "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1"
      ),
      (
        String(repeating: "a", count: 1_000_000),
        "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0"
      ),
    ])
  func vectors(text: String, digest: String) {
    #expect(hash(Bytes(text)) == digest)
    var pieces = SHA256()
    for start in stride(from: 0, to: text.utf8.count, by: 61) {
      pieces.add(Bytes(text).dropFirst(start).prefix(61))
    }
    #expect(pieces.hexadecimal() == digest)
  }

  @Test("Every length around a block is padded as sha256sum(1) does")
  func padding() {
    // Made with: for n in $(seq 0 130); do printf "%${n}s" '' | sha256sum; done | sha256sum
    var all = SHA256()
    for length in 0...130 {
      all.add(Bytes(hash(Bytes(repeating: 0x20, count: length)) + "  -\n"))
    }
    #expect(all.hexadecimal() == "3fa90824260e678d5ac7b0a18bca0d108be3b691594d939adf1f96228a51a8db")
  }

  @Test("A digest of feedback ignores order and surrounding white space, but not where a text ends")
  func feedback() {
    func digest(_ texts: String...) -> String { RetryState.digest(of: texts.map { Bytes($0) }) }
    #expect(digest("a", "b") == digest(" b\n", "\ta"))
    #expect(digest("a", "") == digest("a") && digest("a b") != digest("a  b"))
    #expect(digest("ab") != digest("a", "b") && digest("a", "a") != digest("a"))
    #expect(digest("1:a") != digest("a") && digest("a1:b") != digest("a", "b"))
  }
}
