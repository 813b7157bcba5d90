/// The arguments and variables of this process.
public enum Environment {
  /// The arguments after the program's name, as bytes.
  public static var arguments: [Bytes] {
    (1..<max(Int(CommandLine.argc), 1)).compactMap { index in
      CommandLine.unsafeArgv[index].map { Bytes(cString: $0) }
    }
  }

  /// The value of a variable; nil when it is unset or empty: getenv(3).
  public static func variable(_ name: String) -> Bytes? {
    guard let value = libc_getenv(name), value.pointee != 0 else { return nil }
    return Bytes(cString: value)
  }

  /// All variables, as `NAME=VALUE`: environ(7).
  public static var variables: [Bytes] {
    var variables: [Bytes] = []
    guard var next = environment() else { return [] }
    while let variable = next.pointee {
      variables.append(Bytes(cString: variable))
      next += 1
    }
    return variables
  }

  /// Exits with this status, 0 to 255: exit(3).
  public static func exit(_ status: Int32) -> Never {
    libc_exit(status)
  }
}
