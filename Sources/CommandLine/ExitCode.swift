/// How a program ends. The numbers are those of sysexits.h where it has one.
public enum ExitCode: Int32, Sendable {
  /// Done.
  case success = 0
  /// A check found violations, a search found nothing.
  case negative = 1
  /// There is nothing left to do.
  case complete = 2
  /// A limit is reached; the caller must stop.
  case limit = 10
  /// Wrong usage: EX_USAGE.
  case usage = 64
  /// Data that cannot be used: EX_DATAERR.
  case data = 65
  /// An input or operand does not exist: EX_NOINPUT.
  case noInput = 66
  /// A service that is needed cannot be reached: EX_UNAVAILABLE.
  case unavailable = 69
  /// Something cannot be created: EX_CANTCREAT.
  case cannotCreate = 73
  /// Input or output failed: EX_IOERR.
  case inputOutput = 74
  /// The lock was not free in time; trying again can help: EX_TEMPFAIL.
  case temporary = 75
  /// Permission denied: EX_NOPERM.
  case noPermission = 77
}
