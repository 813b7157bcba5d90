// The record of the highest number
//
// What it saves: reading the whole root under the lock, while all others wait.
//
// Where it is: in the extended attribute `user.topic-alloc` of ROOT/.topic_number.lock, as a text that
// says "while the root is in exactly this state, its highest number is h". The file itself stays empty, so
// it can be committed, copied and merged. The state is device, inode, number of links and ctime of the
// root, all of which only the kernel sets. The holder of both locks reads and writes the record.
//
// When it is valid: if it is byte for byte what this program would write now for the root in the state
// that fstat(2) reports, apart from the number, which a checksum confirms. So a record is worthless if it
// is edited, older than the last change, or from before the root was copied, restored or moved to another
// disk; then the root is read. The state includes everything that decides what counts as a number
// (``Style/numberKey``), because two styles may count in one root. An equal ctime proves equal contents only
// if every change gets a ctime of its own: ``Descriptor/hasDistinctChangeTimes``. Elsewhere (tmpfs, NFS,
// FUSE, overlayfs, everything before Linux 6.13) there is no record, nor if the ctime has no nanoseconds
// (ext4 with inodes of 128 bytes), and every allocation reads the root. (To trust only a ctime that is
// older than a tick of the clock, as git does, would not help: right after an allocation it never is.)
//
// Who is trusted: anybody who may write the lock file can write the record, and so choose the next number.
// So the record counts only if the lock file belongs to the user of this process or to the owner of the
// root, and is not writable by others. It may be writable by its group only if that is the group of the
// root and may write the root, too. Members of that group can create any entry anyway.
//
// When it is written: after an allocation during which nothing else happened to the root. From before
// the first look at the root until after the last one, the kernel counts all changes of its entries
// (``EntryWatch``). If it counts as many as topics were created, nobody else created, removed or renamed an
// entry between the two looks, with or without a lock. Otherwise no record is written, and the old one is
// no longer valid.
//
// After a crash: the record is older than the change, or was not written; in both cases it is invalid.
// After a loss of power, attribute and root may be on disk in different states: then it is invalid, too.
// Nothing ever fails because of the record: if it cannot be read or written, the root is read.
//
// Version 0.1 kept its record in the contents of the lock file. Both versions may work in one root: each
// change of the root outdates the record of the other. The next process that takes the lock empties a lock
// file that holds exactly such a record, and leaves any other contents alone.

import POSIX

/// The highest number of a root in a certain state.
struct NumberRecord {
  /// The highest number in use.
  let highest: Int

  private static let attribute = "user.topic-alloc"
  /// Short enough to be kept in the inode itself: the attributes of an ext4 inode of 256 bytes have 60 bytes
  /// left for it.
  private static let longest = 128

  /// A record of this highest number.
  init(highest: Int) {
    self.highest = highest
  }

  /// The record that `lock` holds; nil unless it can be trusted and is valid for a root in the state `root`,
  /// numbered in `style`.
  init?(of lock: borrowing LockFile, _ root: FileStatus, _ style: Style) {
    guard Self.isTrusted(lock.status, for: root),
      let text = try? lock.file.attribute(Self.attribute, upTo: Self.longest)
    else { return nil }
    var highest = 0
    for byte in text.dropFirst(Self.head(root, style).count) {
      guard case let digit = byte &- UInt8(ascii: "0"), digit <= 9 else { break }
      highest = highest &* 10 &+ Int(digit)
    }
    self.highest = highest
    guard (0...Style.highestNumber).contains(highest), text == self.text(of: root, style) else {
      return nil
    }
  }

  /// The record of the root `directory`, read without a lock; nil if there is no valid one.
  init?(in directory: borrowing Descriptor, _ style: Style) {
    guard let lock = try? LockFile(existing: Root.lockFileName, in: directory),
      let root = try? directory.status()
    else { return nil }
    self.init(of: lock, root, style)
  }

  /// Writes the record to `lock`, for a root in the state `root`.
  func write(to lock: borrowing LockFile, of root: FileStatus, _ style: Style) {
    try? lock.file.setAttribute(Self.attribute, to: text(of: root, style))
  }

  /// Such as `2 fd01 c0ffee 66 6745a1b2 3b9ac9ff 3_ 100 8c1f00d5`: the highest number is decimal, all other
  /// numbers are hexadecimal, and the last one is a checksum.
  private func text(of root: FileStatus, _ style: Style) -> Bytes {
    var text = Self.head(root, style)
    text.append(UInt64(highest))
    text.append(UInt8(ascii: " "))
    let sum = Self.checksum(of: text)
    text.append((sum ^ sum >> 32) & 0xFFFF_FFFF, base: 16)
    return text
  }

  private static func isTrusted(_ lock: FileStatus, for root: FileStatus) -> Bool {
    guard lock.owner == root.owner || lock.owner == System.user, lock.permissions & 0o002 == 0
    else { return false }
    return lock.permissions & 0o020 == 0
      || (lock.group == root.group && root.permissions & 0o020 != 0)
  }

  private static func head(_ root: FileStatus, _ style: Style) -> Bytes {
    var head = Bytes()
    head.reserveCapacity(longest)
    head.append("2 ")
    for number in [
      root.device, root.inode, root.links, UInt64(bitPattern: Int64(root.changed.seconds)),
      UInt64(root.changed.nanoseconds),
    ] {
      head.append(number, base: 16)
      head.append(UInt8(ascii: " "))
    }
    head += style.numberKey
    head.append(UInt8(ascii: " "))
    return head
  }

  /// FNV-1a with 64 bits, of Fowler, Noll and Vo.
  private static func checksum(of text: some Sequence<UInt8>) -> UInt64 {
    text.reduce(0xCBF2_9CE4_8422_2325) { ($0 ^ UInt64($1)) &* 0x100_0000_01B3 }
  }

  // MARK: Version 0.1

  private static let oldLength = 192

  /// Empties a lock file that holds exactly a record of version 0.1. Call it under its lock.
  static func removeFromContents(of lock: borrowing LockFile) {
    guard lock.status.size == oldLength, let text = try? lock.file.contents(), isOldRecord(text)
    else { return }
    try? lock.file.truncate(to: 0)
  }

  /// A line of `topic-alloc 1`, seven numbers with the separator before the last one, a checksum of all
  /// that, and spaces.
  private static func isOldRecord(_ text: Bytes) -> Bool {
    guard text.count == oldLength, text.starts(with: Bytes("topic-alloc 1 ")), text.last == .newline
    else { return false }
    let words = text.dropLast().split(separator: UInt8(ascii: " "))
    guard words.count == 11, let sum = words.last else { return false }
    var expected = Bytes()
    expected.append(checksum(of: text[..<sum.startIndex]), base: 16)
    return sum == expected[...]
  }
}
