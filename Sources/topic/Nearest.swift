import CommandLine
import POSIX

extension Path {
  /// The path of an entry beside it with a similar name and a kind that `isMeant`.
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
  /// The name among `names` that it probably misspells.
  func nearestName(in names: [Bytes]) -> Bytes? {
    // Comparing them all would take too long, and several would be similar.
    if names.count > 10_000 { return nil }
    let texts = names.map { String(decoding: $0, as: UTF8.self) }
    return nearest(to: String(decoding: self, as: UTF8.self), in: texts).map { Bytes($0) }
  }
}
