import POSIX

/// A numbered entry of a root.
public struct Topic: Hashable, Sendable {
  /// Its number.
  public let number: Int
  /// The number as its name spells it: `042`.
  public let digits: Bytes
  /// The part of its name between the separator and the suffix of the style: `oauth_20`. If another
  /// program created the entry, this can be anything.
  public let name: Bytes
  /// Its absolute path, with symbolic links resolved.
  public let path: Path

  /// The topic that the entry of this name in `root` is; nil if it has no number in this style.
  public init?(_ entry: Bytes, in root: Path, _ style: Style) {
    guard let prefix = entry.withUnsafeBufferPointer({ style.numberPrefix(of: $0) }) else {
      return nil
    }
    number = prefix.value
    digits = Bytes(entry.prefix(prefix.digitCount))
    var name = entry.dropFirst(prefix.digitCount + 1)
    if style.makesFiles, name.count > style.suffix.count,
      name.suffix(style.suffix.count) == style.suffix[...]
    {
      name.removeLast(style.suffix.count)
    }
    self.name = Bytes(name)
    path = root.appending(entry)
  }

  /// The name of the entry: `042_oauth_20`.
  public var entryName: Bytes { path.lastComponent }
}

/// The kinds of artifacts, each a directory of a topic that is created on demand.
public enum ArtifactKind: String, CaseIterable, Sendable {
  case reports, plans, summaries, debug, scripts, outputs
}

extension Style {
  /// Whether `topic` is what this style creates: a directory, or a file with the suffix.
  func fits(_ topic: Topic, _ kind: FileStatus.Kind?) -> Bool {
    isProperKind(topic, kind) && topic.entryName.suffix(suffix.count) == suffix[...]
  }

  /// Whether `topic` is a directory, or a file if the style makes files. A symbolic link counts as its
  /// target.
  ///
  /// - Parameter kind: The kind of the entry according to the directory.
  func isProperKind(_ topic: Topic, _ kind: FileStatus.Kind?) -> Bool {
    var actual = kind
    if kind == nil || kind == .symbolicLink { actual = (try? FileStatus.of(topic.path))?.kind }
    return actual == (makesFiles ? .file : .directory)
  }
}

extension Root {
  /// The highest number in use; nil if there is none. Takes no lock, so the answer can be outdated by the
  /// time it is used.
  public func highestNumber(_ style: Style) throws(SystemError) -> Int? {
    if !exists { return nil }
    let directory = try Descriptor(opening: path, .directory)
    if let record = NumberRecord(in: directory, style) { return record.highest }
    return try RootScan(directory, style, owner: nil, names: []).highest
  }

  /// The topics of this root, by number, then by name.
  public func topics(_ style: Style) throws(SystemError) -> [Topic] {
    var topics: [Topic] = []
    try Descriptor(opening: path, .directory).forEachEntry { entry, _ in
      guard style.numberPrefix(of: entry) != nil,
        let topic = Topic(Bytes(entry), in: path, style)
      else { return }
      topics.append(topic)
    }
    return topics.sorted {
      $0.number != $1.number
        ? $0.number < $1.number : $0.name.lexicographicallyPrecedes($1.name)
    }
  }
}
