import CommandLine
import POSIX

/// git-daemon(1) on 127.0.0.1, which serves the repositories in a directory.
final class GitDaemon {
  /// The URL of `server.git` in the served directory.
  var url: Bytes { Bytes("git://127.0.0.1:\(port)/\(Repositories.server)") }

  private let crew: Crew
  private let program: Path
  private let port: Int
  private let slowness: Path?
  private var repositories: Repositories?
  private var process: ChildProcess?

  /// Prepares a daemon without starting it. With `isSlow`, a script in `scratch` delays each
  /// connection.
  init(_ crew: Crew, scratch: Path, isSlow: Bool) throws(Failure) {
    guard let program = AllocatorCommand.findInPath(Bytes("git")) else {
      throw Failure(.unavailable, "there is no git in PATH", advice: "install git")
    }
    self.crew = crew
    self.program = program
    // Below the ports that the system gives to clients. If another daemon has it, there is no
    // answer.
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

  /// Serves these repositories from now on.
  func serve(_ repositories: Repositories) throws(Failure) {
    stop()
    self.repositories = repositories
    try ready()
  }

  /// Starts the daemon unless it is running, and waits until it answers.
  func ready() throws(Failure) {
    if process != nil { return }
    try attempt(start(), otherwise: .unavailable)
    try repositories?.waitForServer(at: url)
  }

  /// Starts the daemon unless it is running.
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

  /// Kills the daemon and the processes that serve its connections.
  func stop() {
    process?.sendToGroup(.kill)
    process = nil
  }
}
