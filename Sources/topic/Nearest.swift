import CommandLine
import POSIX

extension Path {
  /// The path of the entry beside it, of a kind that is looked for, which it was probably meant to be.
  func nearestSibling(where isMeant: (FileStatus.Kind) -> Bool) -> Bytes? {
    var names: [Bytes] = []
    try? Descriptor(opening: parent, .directory).forEachEntry { entry, kind in
      if let kind, isMeant(kind), entry.first != UInt8(ascii: ".") { names.append(Bytes(entry)) }
    }
    guard let near = lastComponent.nearestName(in: names) else { return nil }
    let isBare = !bytes.contains(UInt8(ascii: "/"))
    return isBare ? near : parent.appending(near).bytes
  }
}

extension Bytes {
  /// The one of `names` that it was probably meant to be.
  func nearestName(in names: [Bytes]) -> Bytes? {
    // Comparing each takes its time; among so many, several are near.
    if names.count > 10_000 { return nil }
    let texts = names.map { String(decoding: $0, as: UTF8.self) }
    return nearest(to: String(decoding: self, as: UTF8.self), in: texts).map { Bytes($0) }
  }
}
