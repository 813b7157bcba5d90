import POSIX
import Testing

@Suite(.timeLimit(.minutes(20))) struct RegularExpressionTests {
  @Test("Patterns have extended syntax")
  func extended() throws {
    let expression = try RegularExpression(Bytes("^(auth|oauth)_[0-9]+$"))
    #expect(expression.matches(Bytes("oauth_20")))
    #expect(!expression.matches(Bytes("oauth_")))
  }

  @Test("A pattern that does not compile is an error with the reason")
  func syntaxError() {
    #expect(throws: RegularExpression.SyntaxError.self) { try RegularExpression(Bytes("(")) }
  }
}
