// The record of the highest number
//
// What it saves: reading the whole root under the lock, while all others wait.
//
// Where it is: in the extended attribute `user.topic-alloc` of ROOT/.topic_number.lock, a text which
// says "when the root is in exactly this state, its highest number is h". The file itself stays empty, so
// that it can be committed, copied and merged. The state is device, inode, number of links and ctime of
// the root, all of which only the kernel sets. The record is read and written by the holder of both locks.
//
// When it is believed: when it is byte for byte what this program would write now for the root in the
// state that fstat(2) gives, but for the number, which a checksum confirms. So a record counts for nothing
// that is edited, older than the last change, or from before the root was copied, restored or moved to
// another disk; then the root is read. The state includes everything that decides what counts as a number
// (``Style/numberKey``), as two styles may count in one root. To compare ctime is to compare contents only
// where every change gets a ctime of its own: ``Descriptor/hasDistinctChangeTimes``. Elsewhere, and so on
// tmpfs, NFS, FUSE, overlayfs and all before Linux 6.13, there is no record, nor where the ctime has no
// nanoseconds (ext4 with inodes of 128 bytes), and every allocation reads the root. (To trust only a ctime
// that is older than a tick of the clock, as git does, would not help: right after an allocation it is not.)
//
// Who is believed: whoever may write the lock file can write the record, and so choose the next number.
// So it counts only when the lock file belongs to the user of this process or to the owner of the root,
// when others may not write it, and when its group may not, unless that is the group of the root and may
// write the root. Members of that group can name an entry as they like anyway.
//
// When it is written: after an allocation during which nothing else happened to the root. From before
// the first look at the root until after the last one, the kernel counts all changes of its entries
// (``EntryWatch``); when there were as many as topics have been created, nobody else made, removed or
// renamed an entry between the two looks, with or without a lock. Otherwise no record is written, and
// the one that is there does not fit any more.
//
// After a crash: the record is older than the change, or is not written; in both cases it does not
// fit. After a loss of power, attribute and root may be on the disk in different states: it does not fit,
// unless they are of the same one. Nothing ever fails because of the record: where it cannot be read
// or written, the root is read.
//
// Version 0.1 kept its record in the contents of the lock file. Both versions may work in one root: each
// change of the root makes the record of the other one too old. A lock file that holds exactly such a
// record is emptied by the next one that takes the lock; any other contents are left alone.

import POSIX

/// The highest number of a root in a certain state.
struct NumberRecord {
  /// The highest number in use.
  let highest: Int

  private static let attribute = "user.topic-alloc"
  /// Short enough to be kept in the inode itself: the attributes of an ext4 inode of 256 bytes have 60 bytes
  /// left for it.
  private static let longest = 128

  /// The record of the highest number.
  init(highest: Int) {
    self.highest = highest
  }

  /// The record that `lock` holds, if it can be trusted and is about the root in the state `root`, numbered
  /// in `style`; otherwise nil.
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

  /// What the lock file of the root `directory` says of it now, without a lock.
  init?(in directory: borrowing Descriptor, _ style: Style) {
    guard let lock = try? LockFile(existing: Root.lockFileName, in: directory),
      let root = try? directory.status()
    else { return nil }
    self.init(of: lock, root, style)
  }

  /// Stores the record in `lock`, for the root in the state `root`.
  func write(to lock: borrowing LockFile, of root: FileStatus, _ style: Style) {
    try? lock.file.setAttribute(Self.attribute, to: text(of: root, style))
  }

  /// Such as `2 fd01 c0ffee 66 6745a1b2 3b9ac9ff 3_ 100 8c1f00d5`: the highest number in decimal digits, all
  /// others in hexadecimal ones, and a checksum.
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

  /// Empties a lock file that holds exactly a record of version 0.1. Under its lock.
  static func removeFromContents(of lock: borrowing LockFile) {
    guard lock.status.size == oldLength, let text = try? lock.file.contents(), isOldRecord(text)
    else { return }
    try? lock.file.truncate(to: 0)
  }

  /// A line of `topic-alloc 1`, seven numbers with the separator before the last one, a checksum of what is
  /// before it, and spaces.
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
