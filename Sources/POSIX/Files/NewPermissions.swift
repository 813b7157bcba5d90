/// The permission bits that a new file or directory has from its first moment, so that no crash leaves
/// it with others.
///
/// The umask takes bits away: umask(2). In a directory that its group shares
/// (``FileStatus/isSharedWithGroup``), it leaves those of the group alone, so that all members can go on
/// with what the first one has made.
public struct NewPermissions: Sendable {
  private let bits: UInt16
  /// The bits that the umask leaves alone.
  private let exempt: UInt16

  /// 0777 less the umask, for a directory.
  public static let ofDirectory = NewPermissions(bits: 0o777, exempt: 0)
  /// 0666 less the umask, for a file.
  public static let ofFile = NewPermissions(bits: 0o666, exempt: 0)

  /// Those of a new directory in `directory`.
  public static func ofDirectory(in directory: FileStatus) -> NewPermissions {
    NewPermissions(bits: 0o777, exempt: directory.isSharedWithGroup ? 0o070 : 0)
  }

  /// Those of a new file in `directory`.
  public static func ofFile(in directory: FileStatus) -> NewPermissions {
    NewPermissions(bits: 0o666, exempt: directory.isSharedWithGroup ? 0o060 : 0)
  }

  /// Exactly these, whatever the umask.
  public static func exactly(_ bits: UInt16) -> NewPermissions {
    NewPermissions(bits: bits, exempt: bits)
  }

  /// Those of them that are in `limit`, too.
  func limited(to limit: UInt16) -> NewPermissions {
    NewPermissions(bits: bits & limit, exempt: exempt & limit)
  }

  /// The umask of this process, which nobody changes but for the moment of a call below: umask(2).
  private static let mask: CInterop.Mode = {
    let mask = libc_umask(0)
    libc_umask(mask)
    return mask
  }()

  /// The bits that are left by the umask.
  var mode: UInt16 { bits & ~UInt16(Self.mask) | exempt }

  /// Calls `make`, which makes the file, with the mode that it has to ask for: umask(2).
  func apply(_ make: (CInterop.Mode) -> Int32) -> Int32 {
    if exempt == 0 { return make(CInterop.Mode(bits)) }
    libc_umask(Self.mask & ~CInterop.Mode(exempt))
    defer { libc_umask(Self.mask) }
    return make(CInterop.Mode(bits))
  }
}
