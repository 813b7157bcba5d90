import POSIX
import Runs
import TestSupport
import Testing

@Suite(.timeLimit(.minutes(20))) struct RunDirectoryTests {
  let directory = TemporaryDirectory()

  @Test("Runs of the same second have different ids, which sort in order")
  func ids() throws {
    let time = WallTime(secondsSince1970: 1_764_405_000)
    let paths = try (0..<12).map { _ in
      try RunDirectory.create(in: Path(directory("a/runs")), at: time)
    }
    let names = paths.map { String(decoding: $0.lastComponent, as: UTF8.self) }
    #expect(names[0] == "20251129T083000Z-001" && names[11] == "20251129T083000Z-012")
    #expect(names == names.sorted() && Set(names).count == 12)
  }

  @Test("A file in place of the directory is an error")
  func file() throws {
    try directory.makeFile("runs")
    #expect { try RunDirectory.create(in: Path(directory("runs"))) } throws: { error in
      (error as? SystemError)?.errno == .notDirectory
    }
  }
}
