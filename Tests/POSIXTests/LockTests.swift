import POSIX
import TestSupport
import Testing

@Suite(.timeLimit(.minutes(20))) struct LockTests {
  let directory = TemporaryDirectory()

  init() throws {
    try directory.makeFile("lock")
  }

  private func open() throws -> Descriptor {
    try Descriptor(opening: Path(directory("lock")), .readWriteNoLink)
  }

  @Test("A lock excludes other open files until it is closed")
  func exclusion() throws {
    func holdAndTry(_ second: borrowing Descriptor) throws {
      let first = try open()
      #expect(try first.tryLock())
      #expect(try !second.tryLock())
    }
    let second = try open()
    try holdAndTry(second)
    #expect(try second.tryLock())
  }

  @Test("A deadline in the past allows one attempt")
  func noWaiting() throws {
    let first = try open()
    let second = try open()
    #expect(try first.lock(until: .now + .seconds(10)))
    #expect(try !second.lock(until: .now))
  }
}
