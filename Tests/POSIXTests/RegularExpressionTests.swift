import POSIX
import Testing

@Suite(.timeLimit(.minutes(20))) struct RegularExpressionTests {
  @Test("Extended syntax is understood")
  func extended() throws {
    let expression = try RegularExpression(Bytes("^(auth|oauth)_[0-9]+$"))
    #expect(expression.matches(Bytes("oauth_20")))
    #expect(!expression.matches(Bytes("oauth_")))
  }

  @Test("What does not compile says why")
  func syntaxError() {
    #expect(throws: RegularExpression.SyntaxError.self) { try RegularExpression(Bytes("(")) }
  }
}
