import CommandLine
import JSON
import POSIX

/// `manifest.json`: what a run is, on what, and how it ended.
struct Manifest {
  var request: StressRequest
  let command: [Bytes]
  let allocators: [AllocatorCommand]
  let root: Path
  let started: String
  /// Nil while the run goes on.
  var outcome: Outcome?

  /// The file's text.
  var text: Bytes {
    var json = JSONWriter(.indented)
    json.object { json in
      json.key("command")
      json.array { json in for word in command { json.string(word) } }
      json.key("request")
      request.write(to: &json)
      json.key("versions")
      json.object { json in json.member("topic-stress", version) }
      json.key("allocators")
      json.array { json in
        for allocator in allocators {
          json.object { json in
            json.member("command", allocator.text)
            json.member("program", allocator.program.bytes)
          }
        }
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

enum FileSystem {
  /// The type of the file system that holds `path`, as /proc/self/mountinfo names it, see proc(5); nil
  /// where that cannot be said.
  static func type(of path: Path) -> String? {
    guard let status = try? FileStatus.of(path),
      let mounts = try? Descriptor(opening: Path("/proc/self/mountinfo"), .read).readToEnd()
    else { return nil }
    let device = "\(status.deviceMajor):\(status.deviceMinor)"
    for line in mounts.split(separator: .newline) {
      let fields = String(decoding: line, as: UTF8.self).split(separator: " ")
      guard fields.count > 3, fields[2] == device, let dash = fields.firstIndex(of: "-"),
        dash + 1 < fields.count
      else { continue }
      return String(fields[dash + 1])
    }
    return nil
  }
}
