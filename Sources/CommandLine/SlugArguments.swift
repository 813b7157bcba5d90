import POSIX
import TopicAllocation

extension Slug {
  /// The slugs of `names`, in order. The name `-` reads names from standard input, one per line, of any
  /// length.
  ///
  /// - Throws: Status 65 if a name leaves no slug.
  public static func ofNames(_ names: ArraySlice<Bytes>, _ rule: Rule) throws(Failure) -> [Slug] {
    let standardInput = Bytes("-")
    var slugs: [Slug] = []
    var hasReadInput = false
    for name in names {
      if name == standardInput {
        if hasReadInput {
          throw .usage("'-' is given twice; standard input can be read once")
        }
        hasReadInput = true
        slugs += try ofLinesOfStandardInput(rule)
      } else if let slug = Slug(name, rule) {
        slugs.append(slug)
      } else {
        throw .noSlug(in: "NAME \(Bytes(name.prefix(100)).quotedForMessage)")
      }
    }
    if slugs.isEmpty { throw Failure(.data, "no names on standard input") }
    return slugs
  }

  private static func ofLinesOfStandardInput(_ rule: Rule) throws(Failure) -> [Slug] {
    var slugs: [Slug] = []
    var line = SlugBuilder(rule)
    var lineHasBegun = false
    func endLine() throws(Failure) {
      guard let slug = line.finish() else {
        throw .noSlug(in: "line \(slugs.count + 1) of standard input")
      }
      slugs.append(slug)
      line = SlugBuilder(rule)
      lineHasBegun = false
    }
    while true {
      let chunk = try attempt(StandardStream.input.readChunk(), otherwise: .inputOutput)
      if chunk.isEmpty { break }
      var rest = chunk[...]
      while let end = rest.firstIndex(of: .newline) {
        line.append(rest[..<end])
        try endLine()
        rest = rest[(end + 1)...]
      }
      line.append(rest)
      lineHasBegun = lineHasBegun || !rest.isEmpty
    }
    if lineHasBegun { try endLine() }
    return slugs
  }
}

extension Failure {
  fileprivate static func noSlug(in what: String) -> Failure {
    Failure(
      .data, "no name is left of \(what)",
      advice: "use at least one letter a-z (é counts as e) or digit")
  }
}
