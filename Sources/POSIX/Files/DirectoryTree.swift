// Directories with their parents or their contents.

extension Path {
  /// Creates the directory and its missing parents: mkdir(2). Returns whether the directory was
  /// missing.
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
        // If the parent exists but nothing can be created in it, as below /proc, this is the error.
        do throws(SystemError) { try makeDirectory() } catch {
          if error.errno != .exists { throw error }
        }
        return true
      default: throw error
      }
    }
  }

  /// Syncs the directory and all its parents: fsync(2). After that, a power failure cannot lose
  /// what was created in it, even if another process created some of the parents a moment ago.
  ///
  /// Skips parents that this process may not open.
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

  /// Removes the directory and its contents, without following links: unlinkat(2). Entries that
  /// vanish meanwhile count as removed.
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
        // Most directories are empty, so try this first.
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
