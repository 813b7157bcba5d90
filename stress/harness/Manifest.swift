import CommandLine
import JSON
import POSIX

/// `manifest.json`: the request of a run, the machine, and the verdict.
struct Manifest {
  var request: StressRequest
  let command: [Bytes]
  let allocators: [AllocatorCommand]
  let root: Path
  let started: String
  /// The outcome; nil while the run is in progress.
  var outcome: Outcome?

  /// The contents of the file.
  var text: Bytes {
    var json = JSONWriter(.indented)
    json.object { json in
      json.key("command")
      json.array { json in for word in command { json.string(word) } }
      json.key("request")
      request.write(to: &json)
      json.key("versions")
      json.object { json in json.member("topic-stress", version) }
      json.objects("allocators", allocators) { json, allocator in
        json.member("command", allocator.text)
        json.member("program", allocator.program.bytes)
      }
      json.member("kernel", System.kernel)
      json.member("processors", System.processors)
      json.member("file_system", FileSystem.type(of: root) ?? "unknown")
      json.member("root", root.bytes)
      json.member("seed", Int(request.seed))
      json.member("started", started)
      if let outcome {
        json.member("ended", WallTime.now.rfc3339)
        json.member("elapsed_s", outcome.seconds)
        json.member("verdict", outcome.verdict.rawValue)
      } else {
        json.member("verdict", "running")
      }
    }
    json.endLine()
    return json.text
  }
}
