import POSIX

/// The contents of a root, as far as an allocation needs them. Read under the lock.
struct RootScan {
  /// The highest number in use; nil if there is none.
  private(set) var highest: Int?
  /// The topic that has the requested number.
  private(set) var owner: Topic?
  private var namesakes: [Bytes: Topic] = [:]
  private var names: Set<Bytes> = []

  /// The scan of a root that does not exist.
  init() {}

  /// The scan of a root whose highest number is known.
  init(highest: Int) {
    self.highest = highest
  }

  /// Reads the entries of `directory`. Remembers only the owners of the requested number and names; of
  /// several topics of a name, the one with the lowest number.
  init(
    _ directory: borrowing Descriptor, _ style: Style, owner number: Int?, names: Set<Bytes>
  ) throws(SystemError) {
    let root = directory.path
    var highest: Int?
    var owner: Topic?
    var namesakes: [Bytes: Topic] = [:]
    try directory.forEachEntry { entry, kind in
      guard let prefix = style.numberPrefix(of: entry) else { return }
      highest = max(highest ?? 0, prefix.value)
      guard prefix.value == number || !names.isEmpty,
        let topic = Topic(Bytes(entry), in: root, style)
      else { return }
      let isNamesake = names.contains(topic.name) && style.fits(topic, kind)
      if prefix.value == number, owner == nil || isNamesake { owner = topic }
      guard isNamesake else { return }
      if let known = namesakes[topic.name], known.number < topic.number { return }
      namesakes[topic.name] = topic
    }
    self.highest = highest
    self.owner = owner
    self.names = names
    self.namesakes = namesakes
  }

  /// The topic of exactly this name, if the name was requested.
  func namesake(of slug: Slug) -> Topic? {
    names.isEmpty ? nil : namesakes[slug.bytes]
  }

  /// Adds a topic that was created since.
  mutating func add(_ topic: Topic) {
    highest = max(highest ?? 0, topic.number)
    if names.contains(topic.name), namesakes[topic.name] == nil {
      namesakes[topic.name] = topic
    }
  }
}
