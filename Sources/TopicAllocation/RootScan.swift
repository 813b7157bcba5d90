import POSIX

/// What a root holds, as far as an allocation has to know it. Read under the lock.
struct RootScan {
  /// The highest number in use; nil when there is none.
  private(set) var highest: Int?
  /// The topic that has the number that was asked for.
  private(set) var owner: Topic?
  private var namesakes: [Bytes: Topic] = [:]
  private var names: Set<Bytes> = []

  /// The scan of a root that does not exist.
  init() {}

  /// What a root would show of which the highest number is known.
  init(highest: Int) {
    self.highest = highest
  }

  /// Reads the entries of `directory`. Only for the number and the names that are asked for is it
  /// remembered to whom they belong; of several topics of a name, it is the one with the lowest
  /// number.
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

  /// The topic of exactly this name, when it was asked for.
  func namesake(of slug: Slug) -> Topic? {
    names.isEmpty ? nil : namesakes[slug.bytes]
  }

  /// Takes note of a topic that has been created since.
  mutating func add(_ topic: Topic) {
    highest = max(highest ?? 0, topic.number)
    if names.contains(topic.name), namesakes[topic.name] == nil {
      namesakes[topic.name] = topic
    }
  }
}
