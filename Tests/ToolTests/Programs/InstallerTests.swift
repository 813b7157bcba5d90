import Foundation
import TestSupport
import Testing

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#elseif canImport(Darwin)
  import Darwin
#endif

/// shell/install.sh, with a `swift` that has already built everything.
@Suite(.timeLimit(.minutes(20))) struct InstallerTests {
  let directory = TemporaryDirectory()
  private static let isRoot = getuid() == 0
  private var topic: String { directory("prefix/bin/topic") }

  init() throws {
    try directory.makeDirectories("tools", "built", "prefix/bin")
    try bash(
      """
      for name in topic topic-alloc topic-stress; do
        printf '#!/bin/sh\\necho "$*: %s of topic-alloc"\\n' $name >built/$name
      done
      printf '#!/bin/sh\\ncase " $* " in *" --show-bin-path "*) echo "%s/built" ;; esac\\n' "$PWD" >tools/swift
      chmod +x tools/swift built/*; echo precious >victim; chmod 600 victim
      """, in: directory.path)
  }

  /// The command that installs, or does what the options say.
  private func words(_ options: [String]) -> [String] {
    ["timeout", "--foreground", "60", "bash", Product.sources + "/shell/install.sh", "--prefix"]
      + [directory("prefix")] + options
  }

  private var environment: [String: String] {
    let path = ProcessInfo.processInfo.environment["PATH"] ?? ""
    return ["PATH": directory("tools") + ":" + path, "LC_ALL": "C"]
  }

  private func install(_ options: String...) throws -> Outcome {
    try run(words(options), environment: environment)
  }

  /// All files below the prefix, including hidden ones.
  private func files() throws -> [String] {
    try run(["find", directory("prefix"), "-mindepth", "1"]).lines.sorted()
  }

  private func expectVictimUntouched() throws {
    #expect(try String(contentsOfFile: directory("victim"), encoding: .utf8) == "precious\n")
    let mode = try FileManager.default.attributesOfItem(atPath: directory("victim"))
    #expect(mode[.posixPermissions] as? Int == 0o600)
  }

  @Test("The installer installs, leaves unchanged files alone, and uninstalls everything")
  func twice() throws {
    let first = try install()
    #expect(first.code == 0, "\(first.error)")
    #expect(first.lines.count { $0.hasPrefix("installed ") } == 14, "\(first.text)")
    #expect(try run(["stat", "-c", "%a", topic]).lines == ["755"])
    let second = try install()
    #expect(second.lines.count { $0.hasPrefix("unchanged ") } == 14, "\(second.text)")
    try run(["chmod", "4777", topic])
    #expect(try install().lines.contains("installed \(topic)"))
    #expect(try run(["stat", "-c", "%a", topic]).lines == ["755"])
    #expect(!(try files().contains { $0.contains("/.") }))
    #expect(try install("--uninstall").code == 0)
    #expect(try run(["find", directory("prefix"), "-type", "f"]).lines.isEmpty)
  }

  @Test(
    "An existing non-file is refused before anything is written, and --uninstall leaves it",
    arguments: [
      ("ln -s \"$PWD/victim\"", "a symbolic link"), ("ln -s nowhere", "a symbolic link"),
      ("mkfifo", "a FIFO"), ("mkdir", "a directory"),
    ] + (isRoot ? [("mk() { mknod \"$1\" c 1 3; }; mk", "a device")] : []))
  func kinds(make: String, kind: String) throws {
    try bash("\(make) prefix/bin/topic", in: directory.path)
    let before = try files()
    let outcome = try install()
    #expect(outcome.code == 73 && outcome.output.isEmpty, "\(outcome)")
    #expect(
      outcome.error == """
        install.sh: cannot replace '\(topic)': it is \(kind)
        install.sh: hint: move or remove it, or choose another directory with --prefix

        """)
    #expect(try files() == before)
    let uninstalled = try install("--uninstall")
    #expect(uninstalled.code == 0)
    #expect(uninstalled.lines.contains("left \(topic), which is \(kind)"), "\(uninstalled.text)")
    #expect(try files() == before)
    try expectVictimUntouched()
  }

  @Test("Links that another user plants beside a file are not followed")
  func planted() throws {
    // Plants links at the names of the temporary copies, as another user with write access could.
    try bash(
      """
      cat >tools/cp <<'END'
      #!/bin/sh
      for copy in "$@"; do :; done
      case $(stat -c %a "${copy%/*}") in 700) ;; *) ln -s "$VICTIM" "$copy" ;; esac
      exec /bin/cp "$@"
      END
      chmod +x tools/cp; chmod 777 prefix/bin
      """, in: directory.path)
    let outcome = try run(
      words([]), environment: environment.merging(["VICTIM": directory("victim")]) { $1 })
    #expect(outcome.code == 0, "\(outcome.error)")
    try expectVictimUntouched()
  }

  /// Installs, and sends `signal` while the mode of the first copy is set.
  private func interrupt(by signal: Int32) throws -> Outcome {
    try bash(
      """
      printf '#!/bin/sh\\n: >"%s/ready"; sleep 1; exec /bin/chmod "$@"\\n' "$PWD" >tools/chmod
      chmod +x tools/chmod
      """, in: directory.path)
    let process = try RunningProcess(
      Array(words([]).dropFirst(3)), environment: environment)
    try waitUntil(directory.entries().contains("ready"))
    kill(process.id, signal)
    let outcome = try process.wait()
    // Its children may run for another moment.
    usleep(1_500_000)
    unlink(directory("tools/chmod"))
    return outcome
  }

  @Test(
    "A signal ends the installer, and no file is left over",
    arguments: [SIGHUP, SIGINT, SIGQUIT, SIGTERM])
  func interrupted(signal: Int32) throws {
    let outcome = try interrupt(by: signal)
    #expect(outcome.signal == signal || outcome.code == 128 + signal, "\(outcome)")
    #expect(!(try files().contains { $0.contains("/.") }))
  }

  @Test("Leftovers of a killed installer are removed", arguments: [[], ["--uninstall"]])
  func killed(options: [String]) throws {
    #expect(try interrupt(by: SIGKILL).signal == SIGKILL)
    let leftover = try #require(try files().first { $0.contains("/.topic-alloc.") })
    let outcome = try run(words(options), environment: environment)
    #expect(outcome.code == 0 && outcome.lines.contains("removed \(leftover)"), "\(outcome)")
    #expect(!(try files().contains { $0.contains("/.") }))
  }

  @Test("Files that only look like leftovers stay", arguments: [[], ["--uninstall"]])
  func others(options: [String]) throws {
    try bash(
      """
      cd prefix/bin; mkdir .topic-alloc.1234567 .topic-alloc.123456789 .topic-alloc.1234567- .other.12345678
      mkdir ../../away; touch ../../away/file; ln -s ../../away .topic-alloc.abcdefgh; touch .topic-alloc.ABCDEFGH
      if ((EUID == 0)); then mkdir .topic-alloc.other123; chown 65534 .topic-alloc.other123; fi
      """, in: directory.path)
    func hidden() throws -> [String] { try files().filter { $0.contains("/.") } }
    let before = try hidden()
    #expect(try run(words(options), environment: environment).code == 0)
    #expect(try hidden() == before && before.count >= 6)
    #expect(directory.entries("away") == ["file"])
  }
}
