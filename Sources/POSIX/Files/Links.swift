// Names of files: links, renames, removal.

extension Descriptor {
  /// Links the file `name` in this directory to a second name: linkat(2).
  func link(_ name: Bytes, as new: Bytes) throws(SystemError) {
    try perform(.linkat, path.appending(new)) {
      Path(name).withCString { name in
        Path(new).withCString { libc_linkat(number, name, number, $0, 0) }
      }
    }
  }

  /// Renames the file `old` in this directory to `new`, and replaces a file of that name:
  /// renameat(2). Anyone who opens `new` gets one file or the other.
  public func rename(_ old: Bytes, to new: Bytes) throws(SystemError) {
    try perform(.renameat, path.appending(new)) {
      Path(old).withCString { old in
        Path(new).withCString { libc_renameat(number, old, number, $0) }
      }
    }
  }

  /// Renames the entry `old` in this directory to `new`; fails if that name exists: renameat2(2).
  public func renameExclusively(_ old: Bytes, to new: Bytes) throws(SystemError) {
    try perform(.renameat2, path.appending(new)) {
      Path(old).withCString { old in
        Path(new).withCString { rename_exclusively(number, old, $0) }
      }
    }
  }

  /// Removes the file `name` from this directory: unlinkat(2).
  public func removeFile(_ name: Bytes) throws(SystemError) {
    try perform(.unlinkat, path.appending(name)) {
      Path(name).withCString { libc_unlinkat(number, $0, 0) }
    }
  }

  /// Creates the symbolic link `name` to `target` in this directory: symlinkat(2).
  public func makeLink(_ name: Bytes, to target: Path) throws(SystemError) {
    try perform(.symlinkat, path.appending(name)) {
      target.withCString { target in
        Path(name).withCString { libc_symlinkat(target, number, $0) }
      }
    }
  }
}

extension Path {
  /// The target of the symbolic link, as stored; nil if this is not a link: readlink(2).
  public var linkTarget: Path? {
    var buffer = [CChar](repeating: 0, count: Int(_PATH_MAX))
    let count = withCString { libc_readlink($0, &buffer, buffer.count) }
    return count < 0 ? nil : Path(buffer.prefix(count).map { UInt8(bitPattern: $0) })
  }

  /// The absolute path with every symbolic link resolved; the file must exist: realpath(3).
  public func resolved() throws(SystemError) -> Path {
    var resolved = Path("")
    try perform(.realpath, self) {
      guard let text = withCString({ libc_realpath($0, nil) }) else { return -1 }
      resolved = Path(Bytes(cString: text))
      libc_free(text)
      return 0
    }
    return resolved
  }
}
