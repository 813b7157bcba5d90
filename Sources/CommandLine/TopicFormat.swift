import JSON
import POSIX
import TopicAllocation

/// The formats in which topics are printed.
public enum TopicFormat: String, CaseIterable, Sendable {
  case json, jsonl, pipe, path, number, shell

  /// Whether it says to which project a topic belongs.
  public var namesProject: Bool {
    switch self {
    case .json, .jsonl, .shell: true
    case .pipe, .path, .number: false
    }
  }

  /// Fails when topics at or below `root` cannot be written in this format: JSON is UTF-8, and where a
  /// line is a topic, several topics cannot have a newline in their path.
  public func check(_ root: Path, topics: Int) throws(Failure) {
    switch self {
    case .json, .jsonl:
      if !UTF8Decoder.isValid(root.bytes) {
        throw Failure(
          .data, "cannot write \(root.bytes.quotedForMessage) as JSON: it is not UTF-8",
          advice: "use --format path or shell, which carry any bytes")
      }
    case .pipe, .path:
      if topics > 1, root.bytes.contains(UInt8(ascii: "\n")) {
        throw Failure(
          .data,
          "cannot write paths in \(root.bytes.quotedForMessage) line by line:"
            + " they hold a newline",
          advice: "use --format jsonl or shell")
      }
    case .number, .shell: break
    }
  }

  /// The topic in this format, ended by a newline.
  public func text(_ topic: Topic, _ context: TopicContext) -> Bytes {
    switch self {
    case .json: context.json(topic, .indented)
    case .jsonl: context.json(topic, .compact)
    case .pipe: topic.digits + [UInt8(ascii: "|")] + topic.path.bytes + [.newline]
    case .path: topic.path.bytes + [.newline]
    case .number: topic.digits + [.newline]
    case .shell: context.assignments(topic)
    }
  }
}

/// What the topics of one output have in common.
public struct TopicContext: Sendable {
  /// The project they belong to.
  public let project: Path
  /// The directory that holds them.
  public let root: Path
  /// Whether a topic is a directory that can hold artifacts.
  public let hasArtifacts: Bool

  /// Topics of `root` in `style`.
  public init(project: Path, root: Path, _ style: Style) {
    self.project = project
    self.root = root
    hasArtifacts = !style.makesFiles
  }

  func json(_ topic: Topic, _ layout: JSONWriter.Layout) -> Bytes {
    var json = JSONWriter(layout)
    json.object { json in
      json.member("topic_number", topic.digits)
      json.member("topic_name", topic.name)
      json.member("topic_path", topic.path.bytes)
      json.member("project_root", project.bytes)
      json.member("specs_dir", root.bytes)
      guard hasArtifacts else { return }
      json.key("artifact_paths")
      json.object { json in
        for kind in ArtifactKind.allCases {
          json.member(kind.rawValue, topic.path.appending(kind.rawValue).bytes)
        }
      }
    }
    json.endLine()
    return json.text
  }

  func assignments(_ topic: Topic) -> Bytes {
    var text = Bytes()
    func assign(_ name: String, _ value: Bytes) {
      text.append(name)
      text.append(UInt8(ascii: "="))
      text += value.quotedForShell
      text.append(.newline)
    }
    assign("TOPIC_NUMBER", topic.digits)
    assign("TOPIC_NAME", topic.name)
    assign("TOPIC_PATH", topic.path.bytes)
    assign("PROJECT_ROOT", project.bytes)
    assign("SPECS_DIR", root.bytes)
    if hasArtifacts {
      for kind in ArtifactKind.allCases {
        assign(
          kind.rawValue.uppercased() + "_DIR", topic.path.appending(kind.rawValue).bytes)
      }
    }
    return text
  }
}
