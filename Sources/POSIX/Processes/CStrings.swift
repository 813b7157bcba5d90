/// A NULL-terminated array of C strings, as execve(2) takes it.
final class CStrings {
  let pointers: UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>
  private let count: Int

  init(_ strings: [Bytes]) {
    count = strings.count
    pointers = .allocate(capacity: count + 1)
    pointers.initialize(repeating: nil, count: count + 1)
    for (index, string) in strings.enumerated() {
      pointers[index] = Path(string).withCString { libc_strdup($0) }
    }
  }

  deinit {
    for index in 0..<count { libc_free(pointers[index]) }
    pointers.deallocate()
  }
}
