// The record of the highest number
//
// What it saves: reading the whole root under the lock, while all others wait.
//
// Where it is: in ROOT/.topic_number.lock, one line of 192 bytes, which says "when the root is in
// exactly this state, its highest number is h". The state is device, inode, number of links and ctime
// of the root, all of which only the kernel sets. It is read and written by whoever holds both locks.
//
// When it is believed: when it is byte for byte what this program would write now for the root in the
// state that fstat(2) gives, but for the number, which a checksum confirms. So a record that is empty
// (the bash libraries truncate the lock file before they lock it), edited, torn, older than the last
// change, or from before the root was copied, restored or moved to another disk, is none; then the
// root is read. To compare ctime is to compare contents only where every change gets a ctime of its
// own: ``Descriptor/hasDistinctChangeTimes``. Elsewhere, and so on tmpfs, NFS, FUSE, overlayfs and all before
// Linux 6.13, there is no record, nor where the ctime has no nanoseconds (ext4 with
// inodes of 128 bytes), and every allocation reads the root. (To trust only a ctime that is
// older than a tick of the clock, as git does, would not help: right after an allocation it is not.)
//
// When it is written: after an allocation during which nothing else happened to the root. From before
// the first look at the root until after the last one, the kernel counts all changes of its entries
// (``EntryWatch``); when there were as many as topics have been created, nobody else made, removed or
// renamed an entry between the two looks, with or without a lock. Otherwise no record is written, and
// the one that is there does not fit any more.
//
// After a crash: the record is older than the change, or is not written; in both cases it does not
// fit. After a loss of power, file and root may be on the disk in different states: it does not fit,
// unless they are of the same one. Nothing ever fails because of the record: where it cannot be read
// or written, the root is read.

import POSIX

/// The highest number of a root in a certain state.
struct NumberRecord {
  /// The highest number in use.
  let highest: Int

  private static let length = 192

  /// The record of the highest number.
  init(highest: Int) {
    self.highest = highest
  }

  /// What `lockFile` says of the root in the state `root`, numbered in `style`; nil when nothing.
  init?(_ lockFile: borrowing Descriptor, of root: FileStatus, _ style: Style) {
    // One byte more than there may be.
    guard let text = try? lockFile.read(at: 0, upTo: Self.length + 1), text.count == Self.length
    else { return nil }
    var highest = 0
    for byte in text.dropFirst(Self.head(root, style).count) {
      guard case let digit = byte &- UInt8(ascii: "0"), digit <= 9 else { break }
      highest = highest &* 10 &+ Int(digit)
    }
    self.highest = highest
    guard highest <= Style.highestNumber, text == self.text(of: root, style) else { return nil }
  }

  /// What the lock file of the root `directory` says of it now, without a lock.
  init?(in directory: borrowing Descriptor, _ style: Style) {
    guard let lockFile = try? Descriptor(opening: Root.lockFileName, in: directory, .readNoLink),
      let root = try? directory.status()
    else { return nil }
    self.init(lockFile, of: root, style)
  }

  /// Has `lockFile` say so of the root in the state `root`.
  func write(
    to lockFile: borrowing Descriptor, of root: FileStatus, _ style: Style
  ) throws(SystemError) {
    // A longer file is something else, and would not be read.
    if try lockFile.status().size > Self.length { try lockFile.truncate(to: 0) }
    try lockFile.write(text(of: root, style), at: 0)
  }

  private func text(of root: FileStatus, _ style: Style) -> Bytes {
    var text = Self.head(root, style)
    text.append(UInt64(highest))
    text.append(" ")
    text.append(Self.checksum(of: text), base: 16)
    text.append(contentsOf: repeatElement(UInt8(ascii: " "), count: Self.length - 1 - text.count))
    text.append(.newline)
    return text
  }

  private static func head(_ root: FileStatus, _ style: Style) -> Bytes {
    var head = Bytes()
    head.reserveCapacity(length)
    head.append("topic-alloc 1 ")
    for number in [
      root.device, root.inode, root.links, UInt64(bitPattern: Int64(root.changed.seconds)),
      UInt64(root.changed.nanoseconds), UInt64(style.width),
    ] {
      head.append(number)
      head.append(" ")
    }
    head.append(style.separator)
    head.append(" ")
    return head
  }

  /// FNV-1a with 64 bits, of Fowler, Noll and Vo.
  private static func checksum(of text: Bytes) -> UInt64 {
    text.reduce(0xCBF2_9CE4_8422_2325) { ($0 ^ UInt64($1)) &* 0x100_0000_01B3 }
  }
}
