import CommandLine
import POSIX

/// The value of an option as text for JSON; nil if the option is not given.
func text(of option: String, _ arguments: Arguments) throws(Failure) -> String? {
  guard let value = arguments.value(of: option) else { return nil }
  guard let text = String(validating: value, as: UTF8.self) else {
    throw Failure(.data, "--\(option) \(value.quotedForMessage) is not UTF-8, which JSON needs")
  }
  return text
}
