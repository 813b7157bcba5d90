import CommandLine
import POSIX
import TopicAllocation

/// The formats of most results.
enum ReportFormat: String, CaseIterable {
  case text, json

  /// Fails if one of these names is not UTF-8, as JSON is: an approximate name would help nobody.
  static func checkJSONCarries(_ names: [Bytes]) throws(Failure) {
    for name in names where !UTF8Decoder.isValid(name) {
      throw Failure(
        .data, "cannot write \(name.quotedForMessage) as JSON: it is not UTF-8",
        advice: "use --format text")
    }
  }
}
