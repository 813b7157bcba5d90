import CommandLine
import POSIX

/// git-daemon(1) on 127.0.0.1, which serves the repositories below a directory.
final class GitDaemon {
  /// Where `server.git` of the directory that is served is found.
  var url: Bytes { Bytes("git://127.0.0.1:\(port)/\(Repositories.server)") }

  private let crew: Crew
  private let program: Path
  private let port: Int
  private let slowness: Path?
  private var repositories: Repositories?
  private var process: ChildProcess?

  /// A daemon that is still to be started. With `isSlow`, each connection waits a while; the script that
  /// does it lies in `scratch`.
  init(_ crew: Crew, scratch: Path, isSlow: Bool) throws(Failure) {
    guard let program = AllocatorCommand.findInPath(Bytes("git")) else {
      throw Failure(.unavailable, "there is no git in PATH", advice: "install git")
    }
    self.crew = crew
    self.program = program
    // Below the ports that the system gives to clients; another daemon there shows as no answer.
    port = 20_000 + Int(System.process) % 10_000
    slowness = isSlow ? scratch.appending("slow") : nil
    if let slowness {
      let script = Bytes("#!/bin/sh\nsleep 0.0$(($$ % 90 + 10))\n")
      do throws(SystemError) {
        let directory = try Descriptor(opening: scratch, .directory)
        let file = try Descriptor(
          opening: slowness.lastComponent, in: directory, .creatingNew(.exactly(0o700)))
        try file.write(script)
      } catch {
        throw Failure(error, otherwise: .cannotCreate)
      }
    }
  }

  /// Serves these from now on.
  func serve(_ repositories: Repositories) throws(Failure) {
    stop()
    self.repositories = repositories
    try ready()
  }

  /// Starts it when it is not at work, and waits until it answers.
  func ready() throws(Failure) {
    if process != nil { return }
    try attempt(start(), otherwise: .unavailable)
    try repositories?.waitForServer(at: url)
  }

  /// Starts it when it is not at work.
  func start() throws(SystemError) {
    guard process == nil, let base = repositories?.base else { return }
    var words = [
      "git", "daemon", "--listen=127.0.0.1", "--port=\(port)", "--reuseaddr", "--export-all",
      "--enable=receive-pack",
    ].map { Bytes($0) }
    words.append(Bytes("--base-path=") + base.bytes)
    if let slowness { words.append(Bytes("--access-hook=") + slowness.bytes) }
    process = try crew.startCompanion(program, words)
  }

  /// Kills it with all that it serves at the moment.
  func stop() {
    process?.sendToGroup(.kill)
    process = nil
  }
}
