extension Descriptor {
  /// Reads the extended attribute `name`: fgetxattr(2). Returns nil if it is empty.
  ///
  /// - Throws: `ENODATA` if it is missing, `ERANGE` if it is longer than `limit`.
  public func attribute(_ name: String, upTo limit: Int) throws(SystemError) -> Bytes? {
    var failure: SystemError?
    let value = Bytes(unsafeUninitializedCapacity: limit) { buffer, count in
      do throws(SystemError) {
        count = try perform(.fgetxattr, path) {
          get_attribute(number, name, buffer.baseAddress, limit)
        }
      } catch {
        failure = error
      }
    }
    if let failure { throw failure }
    return value.isEmpty ? nil : value
  }

  /// Sets the extended attribute `name`: fsetxattr(2).
  public func setAttribute(_ name: String, to value: Bytes) throws(SystemError) {
    try perform(.fsetxattr, path) {
      value.withUnsafeBytes { set_attribute(number, name, $0.baseAddress, $0.count) }
    }
  }
}
