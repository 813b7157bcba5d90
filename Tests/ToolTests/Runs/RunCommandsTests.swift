import TestSupport
import Testing

/// The command line of `topic log`, `checkpoint`, `retry`, `try` and `gate`.
@Suite(.timeLimit(.minutes(20))) struct RunCommandsTests {
  let directory = TemporaryDirectory()

  private func topic(_ line: String) throws -> Outcome {
    try bash("topic \(line)", in: directory.path)
  }

  @Test(
    "An option of another subcommand is refused with its owner",
    arguments: [
      ("log tail --batch 3 x", "--batch belongs to topic log append"),
      ("log append --follow x", "--follow belongs to topic log tail"),
      ("checkpoint load --iteration 3 x", "--iteration belongs to topic checkpoint save"),
      ("checkpoint clear --set a=1 x", "--set belongs to topic checkpoint save"),
      ("gate --max-rounds 3 x", "--max-rounds belongs to topic retry check"),
    ])
  func owners(line: String, message: String) throws {
    let outcome = try topic(line)
    #expect(outcome.code == 64 && outcome.error.contains(message), "\(outcome.error)")
  }

  @Test(
    "A missing or unexpected operand is wrong usage",
    arguments: [
      ("log", "no command"), ("log append", "no LOG"), ("log append ''", "LOG is an empty string"),
      ("log tail x y", "unexpected argument 'y'"), ("log tial x", "did you mean 'tail'?"),
      ("checkpoint save", "no RUN"), ("checkpoint load x y", "unexpected argument 'y'"),
      ("retry check --status approved", "no RUN"), ("retry chekc x", "did you mean 'check'?"),
      ("gate", "no RUN"), ("gate ''", "RUN is an empty string"),
    ])
  func operands(line: String, message: String) throws {
    let outcome = try topic(line)
    #expect(outcome.code == 64 && outcome.error.contains(message), "\(outcome.error)")
    #expect(directory.entries().isEmpty)
  }

  @Test("Options may precede the name of the subcommand")
  func order() throws {
    let outcome = try topic(
      """
      log --sync never append log 1 2 && topic log -n 1 tail log
      mkdir run && topic checkpoint --status x save run && topic checkpoint load run | grep -c '"x"'
      """)
    #expect(outcome.lines == ["2", "1"], "\(outcome.error)")
  }

  @Test(
    "Each command has a help and a manual page",
    arguments: [
      "log", "log append", "log tail", "checkpoint", "checkpoint save", "checkpoint load",
      "checkpoint clear", "checkpoint list", "retry", "retry check", "try", "gate",
    ])
  func help(command: String) throws {
    let help = try topic("help \(command)")
    #expect(help.text.hasPrefix("Usage: topic \(command) "), "\(help.error)")
    #expect(try topic("\(command) --help").text == help.text)
    let name = "topic-" + command.replacing(" ", with: "-")
    #expect(try topic("help --man \(name)").text.hasPrefix(".TH"))
  }

  @Test(
    "Completions know what follows",
    arguments: [
      ("log ''", ["append", "tail"]), ("log append --sync ''", ["each", "batch", "never"]),
      ("log tail ''", [":files"]), ("checkpoint ''", ["save", "load", "clear", "list"]),
      ("checkpoint save --file-written ''", [":files"]), ("checkpoint load ''", [":directories"]),
      ("retry check --status ''", ["approved", "needs_changes"]),
      ("try --fallback ''", [":files"]), ("try -n -- ''", [":programs"]),
      ("gate run --step a ''", [":programs"]), ("gate run --step ''", []),
      ("gate run --enforce ''", ["strict", "warn", "off"]),
    ])
  func completions(line: String, words: [String]) throws {
    let outcome = try topic("--complete bash \(line) | cut -f 1")
    #expect(outcome.lines == words, "\(outcome.error)")
  }
}
