/// The permission bits that a file or directory is created with. It never has others, even after a
/// crash.
///
/// The umask removes bits: umask(2). In a directory shared by its group
/// (``FileStatus/isSharedWithGroup``), it does not remove group bits, so all members can work with
/// what any of them creates.
public struct NewPermissions: Sendable {
  private let bits: UInt16
  /// The bits that the umask does not remove.
  private let exempt: UInt16

  /// A directory: 0777 less the umask.
  public static let ofDirectory = NewPermissions(bits: 0o777, exempt: 0)
  /// A file: 0666 less the umask.
  public static let ofFile = NewPermissions(bits: 0o666, exempt: 0)

  /// A new directory in `directory`.
  public static func ofDirectory(in directory: FileStatus) -> NewPermissions {
    NewPermissions(bits: 0o777, exempt: directory.isSharedWithGroup ? 0o070 : 0)
  }

  /// A new file in `directory`.
  public static func ofFile(in directory: FileStatus) -> NewPermissions {
    NewPermissions(bits: 0o666, exempt: directory.isSharedWithGroup ? 0o060 : 0)
  }

  /// Exactly these bits, whatever the umask.
  public static func exactly(_ bits: UInt16) -> NewPermissions {
    NewPermissions(bits: bits, exempt: bits)
  }

  /// These permissions, restricted to the bits of `limit`.
  func limited(to limit: UInt16) -> NewPermissions {
    NewPermissions(bits: bits & limit, exempt: exempt & limit)
  }

  /// The umask of this process: umask(2). Only ``apply(_:)`` changes it, during a call.
  private static let mask: CInterop.Mode = {
    let mask = libc_umask(0)
    libc_umask(mask)
    return mask
  }()

  /// The resulting mode.
  var mode: UInt16 { bits & ~UInt16(Self.mask) | exempt }

  /// Calls `make` with the mode to create the file with. Relaxes the umask during the call if bits
  /// are exempt: umask(2).
  func apply(_ make: (CInterop.Mode) -> Int32) -> Int32 {
    if exempt == 0 { return make(CInterop.Mode(bits)) }
    libc_umask(Self.mask & ~CInterop.Mode(exempt))
    defer { libc_umask(Self.mask) }
    return make(CInterop.Mode(bits))
  }
}
