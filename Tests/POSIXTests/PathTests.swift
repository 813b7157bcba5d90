import POSIX
import Testing

@Suite(.timeLimit(.minutes(20))) struct PathTests {
  @Test(
    "The parent and the last component follow dirname(3) and basename(3)",
    arguments: [
      ("/a/b", "/a", "b"), ("/a", "/", "a"), ("/", "/", ""), ("a", ".", "a"), ("a/b/", "a", "b"),
      ("//a//b//", "//a", "b"), ("", ".", ""),
    ])
  func parts(path: String, parent: String, last: String) {
    #expect(Path(path).parent == Path(parent))
    #expect(Path(path).lastComponent == Bytes(last))
  }

  @Test("Appending puts exactly one slash between the parts")
  func appending() {
    #expect(Path("/").appending("a") == Path("/a"))
    #expect(Path("/a/").appending("b") == Path("/a/b"))
    #expect(Path("").appending("b") == Path("b"))
  }
}
