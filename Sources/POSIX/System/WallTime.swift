/// A moment of the wall clock, in whole seconds since 1970 in UTC.
public struct WallTime: Comparable, Sendable {
  /// Seconds since 1970-01-01T00:00:00Z.
  public let secondsSince1970: Int

  /// Creates the moment this many seconds after 1970 began.
  public init(secondsSince1970: Int) {
    self.secondsSince1970 = secondsSince1970
  }

  /// Now: time(2).
  public static var now: WallTime { WallTime(secondsSince1970: libc_time(nil)) }

  /// The time in RFC 3339 format, such as `2025-11-29T08:30:00Z`: gmtime_r(3).
  public var rfc3339: String {
    var seconds = secondsSince1970
    var fields = CInterop.CalendarTime()
    libc_gmtime_r(&seconds, &fields)
    func padded(_ number: Int32, _ width: Int) -> String { UInt64(number).padded(to: width) }
    let date = [padded(fields.tm_year + 1900, 4), padded(fields.tm_mon + 1, 2)]
    let time = [fields.tm_hour, fields.tm_min, fields.tm_sec].map { padded($0, 2) }
    return (date + [padded(fields.tm_mday, 2)]).joined(separator: "-") + "T"
      + time.joined(separator: ":") + "Z"
  }

  /// Parses `text` in the format of ``rfc3339``. Returns nil for other formats, even if RFC 3339
  /// allows them, and for dates that do not exist.
  public init?(rfc3339 text: String) {
    let bytes = Bytes(text)
    let form = Bytes("0000-00-00T00:00:00Z")
    let zero = UInt8(ascii: "0")
    guard bytes.count == form.count,
      zip(bytes, form).allSatisfy({ $1 == zero ? $0 &- zero <= 9 : $0 == $1 })
    else { return nil }
    func number(_ start: Int, _ count: Int) -> Int {
      bytes[start..<(start + count)].reduce(0) { $0 * 10 + Int($1 - zero) }
    }
    let (year, month, day) = (number(0, 4), number(5, 2), number(8, 2))
    guard (1...12).contains(month), (1...31).contains(day) else { return nil }
    // Counting years from March puts the leap day at the end.
    let start = month > 2 ? year : year - 1
    let daysBefore = (153 * ((month + 9) % 12) + 2) / 5
    let days = 365 * start + start / 4 - start / 100 + start / 400 + daysBefore + day - 719_469
    self.init(
      secondsSince1970: days * 86_400 + number(11, 2) * 3_600 + number(14, 2) * 60 + number(17, 2))
    if rfc3339 != text { return nil }
  }

  /// Returns the moment this many seconds later.
  public func advanced(bySeconds seconds: Int) -> WallTime {
    WallTime(secondsSince1970: secondsSince1970 + seconds)
  }

  /// Earlier moments come first.
  public static func < (left: WallTime, right: WallTime) -> Bool {
    left.secondsSince1970 < right.secondsSince1970
  }
}
