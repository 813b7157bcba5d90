import POSIX

/// What can stand in place of the last word of a command line.
struct Completion {
  /// How words are found.
  private enum Answer {
    case words([Candidate])
    /// The shell offers files, directories or programs, after `lead`.
    case paths(kind: String, lead: String)
    case wordsAndDirectories([Candidate], lead: String)
  }

  private let path: CommandPath
  private let word: String
  private let words: [Bytes]

  /// - Parameter words: The name of the shell, and the words of the line up to the cursor, without the
  ///   program. The last one is to be completed.
  /// - Returns: Nil if there is no such shell.
  init?(_ path: CommandPath, _ words: ArraySlice<Bytes>) {
    guard let name = words.first, let shell = Shell(rawValue: String(decoding: name, as: UTF8.self))
    else { return nil }
    self.path = path
    // bash gives the words as they are typed.
    self.words = words.dropFirst().dropLast().map {
      shell == .bash ? $0.unquoted.expandingTilde : $0.expandingTilde
    }
    word = String(decoding: words.dropFirst().last ?? [], as: UTF8.self)
  }

  /// A candidate a line, with a tab before what it means. A line that begins with a colon has the shell
  /// offer something itself: `:files`, `:directories` or `:programs`, after the text that follows it.
  var text: String {
    switch answer(path, words[...]) {
    case .words(let candidates): lines(candidates)
    case .paths(let kind, let lead): ":\(kind)\t\(lead)\n"
    case .wordsAndDirectories(let candidates, let lead):
      ":directories\t\(lead)\n" + lines(candidates)
    }
  }

  /// A word that a terminal acts on, or that looks like a line for the shell, is not offered.
  private func lines(_ candidates: [Candidate]) -> String {
    candidates.filter { $0.word.hasPrefix(word) && $0.isOffered }.map { candidate in
      let meaning = Bytes(candidate.meaning).printable
      return candidate.word + (meaning.isEmpty ? "" : "\t\(meaning)") + "\n"
    }.joined()
  }

  private func answer(_ path: CommandPath, _ words: ArraySlice<Bytes>) -> Answer {
    if let syntax = path.syntax { return answer(syntax, words) }
    guard let place = path.placeOfSubcommand(typedIn: words) else {
      return .words(
        word.hasPrefix("-")
          ? candidates(Option.common)
          : path.command.subcommands.map { Candidate($0.name, $0.summary) })
    }
    guard let subcommand = path.subcommand(named: words[place]) else { return .words([]) }
    return answer(path.appending(subcommand), words[..<place] + words[(place + 1)...])
  }

  private func answer(_ syntax: Syntax, _ words: ArraySlice<Bytes>) -> Answer {
    let options = Option.common + syntax.allOptions
    // The values that the last option still waits for tell where the word stands.
    for option in options where option.valueCount > 0 {
      for given in 0..<option.valueCount where words.count > given {
        let before = Array(words.dropLast(given))
        guard let last = before.last, option.isSpelled(last),
          let arguments = try? Arguments(Array(before.dropLast()), accepting: options),
          !arguments.isEnded
        else { continue }
        return answer(option.values[given], lead: "", arguments)
      }
    }
    guard let arguments = try? Arguments(Array(words), accepting: options) else {
      return .words([])
    }
    if arguments.isEnded || !word.hasPrefix("-") || word == "-" && syntax.operands.isEmpty {
      return operand(syntax, arguments)
    }
    for option in options where option.valueCount > 0 {
      let leads = ["--\(option.name)="] + (option.letter.map { ["-\(UnicodeScalar($0))"] } ?? [])
      for lead in leads where word.hasPrefix(lead) {
        return answer(option.values[0], lead: lead, arguments)
      }
    }
    let unused = options.filter { $0.isRepeatable || !arguments.has($0.name) }
    return .words(candidates(unused))
  }

  private func operand(_ syntax: Syntax, _ arguments: Arguments) -> Answer {
    let count = arguments.operands.count
    let operand = count < syntax.operands.count ? syntax.operands[count] : syntax.operands.last
    guard let operand, count < syntax.operands.count || operand.isRepeated else {
      return .words([])
    }
    return answer(operand.value, lead: "", arguments)
  }

  private func answer(_ value: Value, lead: String, _ arguments: Arguments) -> Answer {
    func after(_ candidates: [Candidate]) -> [Candidate] {
      candidates.map { Candidate(lead + $0.word, $0.meaning) }
    }
    switch value.kind {
    case .text: return .words([])
    case .file: return .paths(kind: "files", lead: lead)
    case .directory: return .paths(kind: "directories", lead: lead)
    case .program: return .paths(kind: "programs", lead: lead)
    case .choice(let words): return .words(after(words().map { Candidate($0) }))
    case .choices(let words):
      // The last element of the list is completed, with what is not in the list yet.
      let done = word.dropFirst(lead.count).split(separator: ",", omittingEmptySubsequences: false)
        .dropLast()
      let list = done.map { "\($0)," }.joined()
      return .words(
        after(words().filter { !done.contains(Substring($0)) }.map { Candidate(list + $0) }))
    case .computed(let find, let orDirectory):
      let found = after(find(arguments))
      return orDirectory ? .wordsAndDirectories(found, lead: lead) : .words(found)
    }
  }

  private func candidates(_ options: [Option]) -> [Candidate] {
    options.map { Candidate("--\($0.name)", $0.summary) }
  }
}

extension Option {
  /// Whether `word` is the option and nothing else, so that its value follows.
  fileprivate func isSpelled(_ word: Bytes) -> Bool {
    if word == Bytes("--\(name)") { return true }
    guard let letter, word.count > 1, word[0] == UInt8(ascii: "-") else { return false }
    return word[1] != UInt8(ascii: "-") && word.last == letter
  }
}

extension Candidate {
  fileprivate var isOffered: Bool {
    !word.isEmpty && word.first != ":" && !word.unicodeScalars.contains { $0.actsOnTerminal }
  }
}

extension Bytes {
  /// As a shell reads the word: without quotes.
  fileprivate var unquoted: Bytes {
    var word = Bytes()
    var quote: UInt8?
    var isEscaped = false
    for byte in self {
      if isEscaped {
        word.append(byte)
        isEscaped = false
      } else if byte == UInt8(ascii: "\\"), quote != UInt8(ascii: "'") {
        isEscaped = true
      } else if byte == quote {
        quote = nil
      } else if quote == nil, byte == UInt8(ascii: "'") || byte == UInt8(ascii: "\"") {
        quote = byte
      } else {
        word.append(byte)
      }
    }
    return word
  }

  /// With the home directory for a tilde at its beginning.
  fileprivate var expandingTilde: Bytes {
    guard starts(with: Bytes("~/")), let home = Environment.variable("HOME") else { return self }
    return home + dropFirst()
  }
}
