import POSIX

/// Takes the next numbers of a root and creates their topics, as one atomic step.
///
/// RootLock.swift explains the guarantee, the locks, and what a crash leaves.
public struct Allocator: Sendable {
  /// The directory of the topics.
  public let root: Root
  /// How entries are named.
  public let style: Style
  /// How long to wait for the lock; zero means not at all.
  public var timeout = Duration.seconds(30)
  /// Whether to return an existing topic of exactly the same name instead of creating one.
  public var reusesNames = false
  /// The only number to take, for a single name.
  public var number: Int?
  /// Numbers that are reserved elsewhere for this allocation. New topics get no other numbers.
  public var reservation: ClosedRange<Int>?
  /// Whether new entries are on disk before they are returned.
  public var isDurable = false

  /// An allocator for `root`, which may not exist yet.
  public init(_ root: Root, _ style: Style) {
    self.root = root
    self.style = style
  }

  /// The result of an allocation.
  public struct Allocation: Sendable {
    /// A topic for each slug, in order.
    public let topics: [Topic]
    /// How long the call waited for the lock.
    public let waited: Duration
    /// When it got the lock.
    public let acquired: Instant
    /// When it released the lock.
    public let released: Instant
  }

  /// Allocates a topic for each of `slugs`, with consecutive numbers.
  ///
  /// From the first creation on, signals that ask the process to end are held back. They still are when
  /// this returns, so the caller can report what was created and then let them through with
  /// ``TerminationSignals/release()``. A signal that arrives before the last creation undoes everything
  /// (``AllocationError/interrupted``).
  public func allocate(_ slugs: [Slug]) throws(AllocationFailure) -> Allocation {
    var work = Work(slugs)
    do throws(AllocationError) {
      let lock = try RootLock.acquire(root, timeout: timeout)
      TerminationSignals.hold()
      try create(&work, under: lock)
      let (waited, acquired) = (lock.waited, lock.acquired)
      let released = lock.release()
      if isDurable { try synchronize(work) }
      return Allocation(
        topics: work.done, waited: waited, acquired: acquired, released: released)
    } catch {
      throw AllocationFailure(
        done: work.done, missing: Array(slugs.dropFirst(work.done.count)), reason: error)
    }
  }

  /// Returns what ``allocate(_:)`` would return now. Creates nothing and takes no lock, so the answer can
  /// be outdated by the time it is used.
  public func preview(_ slugs: [Slug]) throws(AllocationFailure) -> [Topic] {
    var work = Work(slugs)
    do throws(AllocationError) {
      if root.exists {
        work.scan = try system(look(at: Descriptor(opening: root.path, .directory), slugs))
      }
      try checkNumbersSuffice(for: work)
      for slug in slugs { work.take(try topic(for: slug, work.scan).topic, isNew: false) }
      return work.done
    } catch {
      throw AllocationFailure(done: [], missing: slugs, reason: error)
    }
  }

  /// An allocation under way.
  private struct Work {
    let slugs: [Slug]
    var scan = RootScan()
    /// Topics for the first slugs.
    var done: [Topic] = []
    /// Those of them that did not exist before.
    var created: [Topic] = []

    init(_ slugs: [Slug]) {
      self.slugs = slugs
    }

    mutating func take(_ topic: Topic, isNew: Bool) {
      done.append(topic)
      if isNew { created.append(topic) }
      scan.add(topic)
    }
  }

  private func create(
    _ work: inout Work, under lock: borrowing RootLock
  ) throws(AllocationError) {
    work.scan = try system(look(under: lock, work.slugs))
    try checkNumbersSuffice(for: work)
    while work.done.count < work.slugs.count {
      let (topic, isNew) = try topic(for: work.slugs[work.done.count], work.scan)
      if isNew {
        do throws(SystemError) {
          try createEntry(topic.entryName, under: lock)
        } catch {
          guard error.errno == .exists, number == nil else { throw .system(error) }
          // Somebody without a lock was faster, so there should be a new highest number.
          work.scan = try system(scan(lock.directory, work.slugs))
          // If there is not, this name is unavailable, and retries would never end.
          if work.scan.highest ?? 0 < topic.number { throw .system(error) }
          continue
        }
      }
      work.take(topic, isNew: isNew)
      if TerminationSignals.isWaiting {
        undo(&work, in: lock.directory)
        throw .interrupted
      }
    }
    if !work.created.isEmpty, let highest = work.scan.highest {
      lock.record(highest: highest, created: work.created.count, style)
    }
  }

  /// The contents of the root, from its record if possible, or else from its entries. To look for a name
  /// or a number takes all entries.
  private func look(
    under lock: borrowing RootLock, _ slugs: [Slug]
  ) throws(SystemError) -> RootScan {
    if !reusesNames, number == nil, let highest = lock.recordedHighest(style) {
      return RootScan(highest: highest)
    }
    return try scan(lock.directory, slugs)
  }

  private func look(
    at directory: borrowing Descriptor, _ slugs: [Slug]
  ) throws(SystemError) -> RootScan {
    if !reusesNames, number == nil, let record = NumberRecord(in: directory, style) {
      return RootScan(highest: record.highest)
    }
    return try scan(directory, slugs)
  }

  private func scan(
    _ directory: borrowing Descriptor, _ slugs: [Slug]
  ) throws(SystemError) -> RootScan {
    let names: Set<Bytes> = reusesNames ? Set(slugs.map(\.bytes)) : []
    return try RootScan(directory, style, owner: number, names: names)
  }

  private func topic(
    for slug: Slug, _ scan: RootScan
  ) throws(AllocationError) -> (topic: Topic, isNew: Bool) {
    if let number, let owner = scan.owner {
      guard reusesNames, owner.name == slug.bytes else { throw .numberTaken(number, owner.path) }
      return (owner, false)
    }
    if let namesake = scan.namesake(of: slug) {
      if let number { throw .nameTaken(number, namesake.path) }
      return (namesake, false)
    }
    let next = number ?? nextNumber(scan)
    if number == nil, let reservation, next > reservation.upperBound {
      throw .reservationPassed(next - 1)
    }
    guard let topic = Topic(style.entryName(next, slug), in: root.path, style) else {
      throw .numbersExhausted(root.path, next: next)
    }
    return (topic, true)
  }

  private func checkNumbersSuffice(for work: Work) throws(AllocationError) {
    guard number == nil else { return }
    let known = reusesNames ? Set(work.slugs.filter { work.scan.namesake(of: $0) == nil }) : []
    let needed = reusesNames ? known.count : work.slugs.count
    let next = nextNumber(work.scan)
    let last = next + needed - 1
    if needed > 0, last > Style.highestNumber { throw .numbersExhausted(root.path, next: next) }
    if needed > 0, let reservation, last > reservation.upperBound {
      throw .reservationPassed(next - 1)
    }
  }

  private func nextNumber(_ scan: RootScan) -> Int {
    max(scan.highest.map { $0 + 1 } ?? style.start, reservation?.lowerBound ?? 0)
  }

  private func createEntry(_ name: Bytes, under lock: borrowing RootLock) throws(SystemError) {
    let permissions = lock.permissions(ofFile: style.makesFiles)
    if style.makesFiles {
      _ = try Descriptor(opening: name, in: lock.directory, .creatingNew(permissions))
    } else {
      try lock.directory.makeDirectory(name, permissions)
    }
  }

  /// Removes the new topics, the newest first: then no gap is left if a kill, or an entry that is no
  /// longer empty, ends it early.
  private func undo(_ work: inout Work, in directory: borrowing Descriptor) {
    work.done = work.created
    while let newest = work.done.last, remove(newest, from: directory) { work.done.removeLast() }
  }

  /// Removes the entry; returns whether it is gone.
  private func remove(_ topic: Topic, from directory: borrowing Descriptor) -> Bool {
    do throws(SystemError) {
      if style.makesFiles {
        try directory.removeFile(topic.entryName)
      } else {
        try directory.removeDirectory(topic.entryName)
      }
      return true
    } catch {
      return error.errno == .notFound
    }
  }

  /// Puts the new entries on disk, with the root and all directories above it.
  private func synchronize(_ work: Work) throws(AllocationError) {
    do throws(SystemError) {
      for topic in work.created {
        try Descriptor(opening: topic.path, .read).synchronize()
      }
      try root.path.synchronizeWithParents()
    } catch {
      throw .notDurable(error)
    }
  }

  private func system<Result>(
    _ call: @autoclosure () throws(SystemError) -> Result
  ) throws(AllocationError) -> Result {
    do throws(SystemError) { return try call() } catch { throw .system(error) }
  }
}
