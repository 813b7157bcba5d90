import Foundation
import TestSupport
import Testing

/// What children inherit from the programs.
@Suite(.timeLimit(.minutes(20))) struct ChildrenTests {
  let directory = TemporaryDirectory()

  init() throws { try directory.makeDirectories("run") }

  @Test("Children do not inherit the signals that their parent blocks for its own use")
  func masks() throws {
    // dash unblocks all signals at its start; bash does not.
    let outcome = try bash(
      """
      git init -q .; mkdir -p bin specs/001_a; git=$(command -v git)
      cat >bin/masks <<'END'
      #!/bin/bash
      while read -r name mask; do
        if [[ $name == SigBlk: ]]; then echo "$mask" >>"${BASH_SOURCE%/*}/../masks"; fi
      done </proc/$$/status
      END
      { cat bin/masks; printf 'exec "%s" "$@"\\n' "$git"; } >bin/git; chmod +x bin/*
      touch specs/001_a/f; git add .; git -c user.name=a -c user.email=a@b commit -qm a
      mkdir specs/001_b; touch specs/001_b/f; git add .
      PATH=$PWD/bin:$PATH
      topic-alloc -f number --scope worktrees specs x && topic renumber --apply specs &&
        topic try -n --timeout 60 --model masks -- {model}
      """, in: directory.path)
    #expect(outcome.code == 0, "\(outcome.error)")
    let masks = try String(contentsOfFile: directory("masks"), encoding: .utf8).split(
      separator: "\n")
    #expect(masks.count >= 10)
    #expect(Set(masks) == ["0000000000000000"])
  }

  @Test(
    "A command whose parent has a stream closed runs with all of its own open",
    arguments: ["<&-", ">&-", "2>&-", "<&- >&- 2>&-"],
    ["topic gate run --step a", "topic try -n --timeout 60 --model m -- sh -c"])
  func closedStreams(redirection: String, command: String) throws {
    // A shell uses descriptors from 3 on if those below are taken.
    let check =
      "touch ran; echo; for fd in 0 1 2; do test -e /proc/$$/fd/$fd || echo $fd >>missing; done"
    let outcome = try bash("\(command) '\(check) # {model}' \(redirection)", in: directory.path)
    #expect(outcome.code == (redirection.contains(">&- ") || redirection == ">&-" ? 74 : 0))
    #expect(directory.entries().contains("ran") && !directory.entries().contains("missing"))
  }

  @Test("If standard input cannot be read, nothing runs, and the message says what to do")
  func closedInput() throws {
    let outcome = try bash(
      "topic try --timeout 60 --model m -- touch ran {model} <&-", in: directory.path,
      environment: ["LC_ALL": "C"])
    #expect(outcome.code == 74 && directory.entries() == ["run"])
    #expect(
      outcome.error == """
        topic: cannot read standard input: Bad file descriptor
        topic: hint: if COMMAND needs no input, use --no-input or </dev/null

        """)
  }
}
