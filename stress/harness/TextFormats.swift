import CommandLine
import POSIX
import TopicAllocation

// How reports and messages show numbers, times and processes.

extension Int {
  /// `1 line`, `1,200 lines`.
  func counted(_ noun: String, plural: String? = nil) -> String {
    "\(grouped) \(self == 1 ? noun : plural ?? noun + "s")"
  }

  /// With a comma after every three digits.
  var grouped: String {
    var text = ""
    for (index, digit) in String(self).reversed().enumerated() {
      if index > 0, index % 3 == 0, digit != "-" { text.append(",") }
      text.append(digit)
    }
    return String(text.reversed())
  }

  /// Seconds as `45 s`, `3 min 20 s` or `2 h 5 min`.
  var asTime: String {
    if self < 60 { return "\(self) s" }
    if self < 3_600 { return "\(self / 60) min \(self % 60) s" }
    return "\(self / 3_600) h \(self / 60 % 60) min"
  }
}

extension Double {
  /// Seconds as `0.25 s`, `12.5 s` or `3 min 20 s`.
  var asTime: String {
    if self >= 60 { return Int(self).asTime }
    let scale: Double = self < 10 ? 100 : 10
    return "\((self * scale).rounded() / scale) s"
  }

  /// A share, with two significant digits or so: `0%`, `0.04%`, `12%`.
  var asPercent: String {
    guard isFinite, abs(self) < 1e6 else { return "\(self)" }
    let value = self * 100
    if value == 0 || value >= 10 { return "\(Int(value.rounded()))%" }
    let scale: Double = value >= 1 ? 10 : 100
    let rounded = (value * scale).rounded() / scale
    return rounded == 0 ? "<0.01%" : "\(rounded)%"
  }
}

extension UInt64 {
  /// Nanoseconds as milliseconds: `12.345 ms`.
  var asMilliseconds: String {
    let microseconds = (self + 500) / 1_000
    return "\(microseconds / 1_000)." + "\(microseconds % 1_000)".padded(to: 3, with: "0") + " ms"
  }

  /// Nanoseconds in whole units: `512 µs`, `1 ms`, `33 s`.
  var asRoundTime: String {
    if self < 1_000_000 { return "\(self / 1_000) µs" }
    if self < 1_000_000_000 { return "\(self / 1_000_000) ms" }
    return "\(self / 1_000_000_000) s"
  }
}

extension String {
  /// Aligned to the right in `width` characters.
  func padded(to width: Int, with filler: String = " ") -> String {
    String(repeating: filler, count: max(width - count, 0)) + self
  }
}

extension ChildProcess.End {
  /// `code 1` or `signal 9`.
  var inWords: String {
    switch self {
    case .exited(let code): "code \(code)"
    case .signaled(let number): "signal \(number)"
    }
  }
}

extension LockHolder {
  /// The end of a message about the lock of the file at `path`: `, held by process 12`, or nothing
  /// if the system does not tell who holds it.
  static func clause(_ path: Path) -> String { of(path).map { ", held by \($0.inWords)" } ?? "" }

  /// Whether another process holds the lock of the file at `path`. False if there is no such file.
  static func isLocked(_ path: Path) -> Bool {
    guard let file = try? Descriptor(opening: path, .read), let isFree = try? file.tryLock() else {
      return false
    }
    return !isFree
  }
}
