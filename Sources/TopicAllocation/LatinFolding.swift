/// The ASCII base of Latin letters: é → e, ß → ss, Ł → l.
///
/// The source is the compatibility decomposition of the Unicode Character Database, reduced to ASCII
/// letters. A letter without a decomposition (strokes, hooks, ligatures) becomes the letter that it is
/// drawn from.
enum LatinFolding {
  /// The lower-case ASCII letters, one to three, that `scalar` is based on; nil if it is not a letter or
  /// its base is not obvious.
  static func asciiBase(of scalar: UInt32) -> ArraySlice<UInt8>? {
    switch scalar {
    case 0xC0..<0x250: pair(scalar - 0xC0, in: latin)
    case 0x1E00..<0x1F00: pair(scalar - 0x1E00, in: latinAdditional)
    case 0xFB00..<0xFB07: Array(ligatures[Int(scalar - 0xFB00)].utf8)[...]
    case 0xFF10...0xFF19: [UInt8(ascii: "0") + UInt8(scalar - 0xFF10)]
    case 0xFF21...0xFF3A: [UInt8(ascii: "a") + UInt8(scalar - 0xFF21)]
    case 0xFF41...0xFF5A: [UInt8(ascii: "a") + UInt8(scalar - 0xFF41)]
    case 0xAA: [UInt8(ascii: "a")]
    case 0xBA: [UInt8(ascii: "o")]
    default: nil
    }
  }

  /// Whether `scalar` is invisible by itself, so it does not end a word: combining marks (é as e and an
  /// accent), soft hyphens, zero-width joiners, variation selectors.
  static func isInvisible(_ scalar: UInt32) -> Bool {
    switch scalar {
    case 0xAD, 0x300...0x36F, 0x200B...0x200F, 0x2060, 0xFE00...0xFE0F, 0xFEFF: true
    default: false
    }
  }

  /// Whether `scalar`, which is not ASCII, has the Unicode property White_Space.
  static func isWhiteSpace(_ scalar: UInt32) -> Bool {
    switch scalar {
    case 0x85, 0xA0, 0x1680, 0x2000...0x200A, 0x2028, 0x2029, 0x202F, 0x205F, 0x3000: true
    default: false
    }
  }

  /// Entry `index` of a table with two characters per entry; a dot stands for no character.
  private static func pair(_ index: UInt32, in table: StaticString) -> ArraySlice<UInt8>? {
    let start = table.utf8Start + 2 * Int(index)
    let pair = [start[0], start[1]].filter { $0 != UInt8(ascii: ".") }
    return pair.isEmpty ? nil : pair[...]
  }

  /// U+00C0 to U+024F, sixteen letters per row.
  private static let latin: StaticString = """
    a.a.a.a.a.a.aec.e.e.e.e.i.i.i.i.\
    d.n.o.o.o.o.o...o.u.u.u.u.y.thss\
    a.a.a.a.a.a.aec.e.e.e.e.i.i.i.i.\
    d.n.o.o.o.o.o...o.u.u.u.u.y.thy.\
    a.a.a.a.a.a.c.c.c.c.c.c.c.c.d.d.\
    d.d.e.e.e.e.e.e.e.e.e.e.g.g.g.g.\
    g.g.g.g.h.h.h.h.i.i.i.i.i.i.i.i.\
    i.i.ijijj.j.k.k.k.l.l.l.l.l.l.l.\
    l.l.l.n.n.n.n.n.n.n.n.n.o.o.o.o.\
    o.o.oeoer.r.r.r.r.r.s.s.s.s.s.s.\
    s.s.t.t.t.t.t.t.u.u.u.u.u.u.u.u.\
    u.u.u.u.w.w.y.y.y.z.z.z.z.z.z.s.\
    b.b.b.b.......c.c.d.d.d.d.......\
    ..f.f.g.......i.k.k.l.....n.n...\
    o.o.....p.p...........t.t.t.t.u.\
    u...v.y.y.z.z...................\
    ........dzdzdzljljljnjnjnja.a.i.\
    i.o.o.u.u.u.u.u.u.u.u.u.u...a.a.\
    a.a.aeaeg.g.g.g.k.k.o.o.o.o.....\
    j.dzdzdzg.g.....n.n.a.a.aeae....\
    a.a.a.a.e.e.e.e.i.i.i.i.o.o.o.o.\
    r.r.r.r.u.u.u.u.s.s.t.t.....h.h.\
    n.d.....z.z.a.a.e.e.o.o.o.o.o.o.\
    o.o.y.y.l.n.t.j.....a.c.c.l.t.s.\
    z.....b.....e.e.j.j.....r.r.y.y.
    """

  /// U+1E00 to U+1EFF.
  private static let latinAdditional: StaticString = """
    a.a.b.b.b.b.b.b.c.c.d.d.d.d.d.d.\
    d.d.d.d.e.e.e.e.e.e.e.e.e.e.f.f.\
    g.g.h.h.h.h.h.h.h.h.h.h.i.i.i.i.\
    k.k.k.k.k.k.l.l.l.l.l.l.l.l.m.m.\
    m.m.m.m.n.n.n.n.n.n.n.n.o.o.o.o.\
    o.o.o.o.p.p.p.p.r.r.r.r.r.r.r.r.\
    s.s.s.s.s.s.s.s.s.s.t.t.t.t.t.t.\
    t.t.u.u.u.u.u.u.u.u.u.u.v.v.v.v.\
    w.w.w.w.w.w.w.w.w.w.x.x.x.x.y.y.\
    z.z.z.z.z.z.h.t.w.y.a.s.s.s.ss..\
    a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.\
    a.a.a.a.a.a.a.a.e.e.e.e.e.e.e.e.\
    e.e.e.e.e.e.e.e.i.i.i.i.o.o.o.o.\
    o.o.o.o.o.o.o.o.o.o.o.o.o.o.o.o.\
    o.o.o.o.u.u.u.u.u.u.u.u.u.u.u.u.\
    u.u.y.y.y.y.y.y.y.y.............
    """

  /// U+FB00 to U+FB06.
  private static let ligatures: [String] = ["ff", "fi", "fl", "ffi", "ffl", "st", "st"]
}
