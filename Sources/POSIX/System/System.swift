/// Facts about the system and this process.
public enum System {
  /// The name, release and machine type of the kernel, such as `Linux 6.18.5 x86_64`: uname(2).
  public static var kernel: String {
    var names = CInterop.SystemNames()
    libc_uname(&names)
    func text<Field>(_ field: Field) -> String {
      withUnsafeBytes(of: field) { bytes in
        String(decoding: bytes.prefix { $0 != 0 }, as: UTF8.self)
      }
    }
    return [text(names.sysname), text(names.release), text(names.machine)].joined(separator: " ")
  }

  /// The name of this machine: uname(2).
  public static var host: Bytes {
    var names = CInterop.SystemNames()
    libc_uname(&names)
    return withUnsafeBytes(of: &names.nodename) { Bytes($0.prefix { $0 != 0 }) }
  }

  /// The first two numbers of the kernel's release, 6 and 18 of `6.18.5-arch1`: uname(2).
  static var kernelRelease: (major: Int, minor: Int) {
    var names = CInterop.SystemNames()
    libc_uname(&names)
    return withUnsafeBytes(of: &names.release) { release in
      var rest = release[...]
      func nextNumber() -> Int {
        var number = 0
        while let byte = rest.popFirst(), case let digit = byte &- UInt8(ascii: "0"), digit <= 9 {
          number = number &* 10 &+ Int(digit)
        }
        return number
      }
      return (nextNumber(), nextNumber())
    }
  }

  /// The number of online processors: sysconf(3).
  public static var processors: Int { max(libc_sysconf(__SC_NPROCESSORS_ONLN), 1) }

  /// The ID of this process: getpid(2).
  public static var process: Int32 { libc_getpid() }

  /// The effective user ID: geteuid(2).
  public static var user: UInt32 { libc_geteuid() }

  /// Nanoseconds of processor time that this process used, in user and kernel mode: getrusage(2).
  public static var processorTime: UInt64 { time(ofChildren: false) }

  /// Nanoseconds of processor time that children used which have been waited for: getrusage(2).
  public static var processorTimeOfChildren: UInt64 { time(ofChildren: true) }

  private static func time(ofChildren: Bool) -> UInt64 {
    var usage = CInterop.ResourceUsage()
    libc_getrusage(ofChildren ? _RUSAGE_CHILDREN : _RUSAGE_SELF, &usage)
    func nanoseconds(_ time: CInterop.TimeValue) -> UInt64 {
      UInt64(time.tv_sec) * 1_000_000_000 + UInt64(time.tv_usec) * 1_000
    }
    return nanoseconds(usage.ru_utime) + nanoseconds(usage.ru_stime)
  }
}
