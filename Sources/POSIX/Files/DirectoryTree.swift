// Directories with all that is above or in them.

extension Path {
  /// Makes the directory, and those above it that are missing; it may be there: mkdir(2). Returns
  /// whether it was missing.
  @discardableResult
  public func makeDirectoryWithParents() throws(SystemError) -> Bool {
    do throws(SystemError) {
      try makeDirectory()
      return true
    } catch {
      switch error.errno {
      case .exists:
        guard try FileStatus.of(self).kind == .directory else {
          throw SystemError(.mkdir, self, .notDirectory)
        }
        return false
      case .notFound where parent != self:
        try parent.makeDirectoryWithParents()
        // Where a directory is there and nothing can be made in it, as below /proc, that is the error.
        do throws(SystemError) { try makeDirectory() } catch {
          if error.errno != .exists { throw error }
        }
        return true
      default: throw error
      }
    }
  }

  /// Puts the entries of the directory and of all above it on the disk, so that what has been made in
  /// it can be found after a power cut: fsync(2). Another process may have made some of them a moment
  /// ago. Directories above it that may not be opened are passed over.
  public func synchronizeWithParents() throws(SystemError) {
    var directory = try resolved()
    try Descriptor(opening: directory, .directory).synchronize()
    while !directory.lastComponent.isEmpty {
      directory = directory.parent
      do throws(SystemError) {
        try Descriptor(opening: directory, .directory).synchronize()
      } catch {
        if error.call != .open || error.errno != .accessDenied { throw error }
      }
    }
  }

  /// Removes the directory with everything in it; links are not followed: unlinkat(2). What vanishes
  /// meanwhile is as good as removed.
  public func removeTree() throws(SystemError) {
    do throws(SystemError) {
      try Descriptor(opening: parent, .directory).removeTree(lastComponent)
    } catch {
      if error.errno != .notFound { throw error }
    }
  }
}

extension Descriptor {
  fileprivate func removeTree(_ name: Bytes) throws(SystemError) {
    let directory: Descriptor
    do throws(SystemError) {
      directory = try Descriptor(opening: name, in: self, .directoryNoLink)
    } catch {
      guard error.errno == .notDirectory || error.errno == .linkLoop else { throw error }
      return try removeFile(name)
    }
    var entries: [(name: Bytes, isDirectory: Bool)] = []
    try directory.forEachEntry { entry, kind in
      entries.append((Bytes(entry), kind == nil || kind == .directory))
    }
    for entry in entries {
      do throws(SystemError) {
        guard entry.isDirectory else {
          try directory.removeFile(entry.name)
          continue
        }
        // Most are empty.
        do throws(SystemError) {
          try directory.removeDirectory(entry.name)
        } catch {
          try directory.removeTree(entry.name)
        }
      } catch {
        if error.errno != .notFound { throw error }
      }
    }
    try removeDirectory(name)
  }
}
