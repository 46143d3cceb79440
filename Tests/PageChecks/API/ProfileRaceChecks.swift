import CTestSystem
import PageAlloc

/// Profiles that are written while threads go on.
package let profileRaceChecks: [Check] = [
  Check("profile: who comes while it is written has calls of his own, or is left out") { recorder in
    if leavesOutProfiles(&recorder) { return }
    guard let arena = profiledArena(every: 1, seed: 3, &recorder), let pipe = FullPipe(&recorder),
      let first = takeAtFirstSite(arena, 5, &recorder)
    else { return }
    var second: Run?
    var bytes: [UInt8] = []
    runThreads(
      [ProfileAuthor(arena, pipe.path)],
      meanwhile: {
        // It has written a page, which there is no room for.
        sleep(milliseconds: 300)
        second = takeAtSecondSite(arena, 3, &recorder)
        bytes = pipe.readAll()
      }
    ) { $0.write() }
    guard let second, let file = PprofFile(bytes) else { return recorder.fail("no profile") }
    recorder.expect(!file.samples.isEmpty, "samples")
    recorder.expectEqual(file.sum(2, under: "takeAtFirstSite"), 1, "runs of the first site")
    let others = UInt64(file.samples.count) - 1
    recorder.expectEqual(file.sum(2, under: "takeAtSecondSite"), others, "runs of the second")
    arena.give(first, &recorder)
    arena.give(second, &recorder)
  }
]

/// A thread that writes a profile.
private final class ProfileAuthor: Sendable {
  let arena: PageArena
  let path: String

  init(_ arena: PageArena, _ path: String) {
    self.arena = arena
    self.path = path
  }

  func write() { _ = try? arena.writeProfile(toPath: path) }
}

/// A pipe in which there is no room until it is read.
private final class FullPipe {
  private let ends: ctest_pipe
  var path: String { "/proc/self/fd/\(ends.writer)" }

  init?(_ recorder: inout Recorder) {
    ends = ctest_full_pipe()
    if ends.reader < 0 {
      recorder.fail("no pipe")
      return nil
    }
  }

  deinit { close(ends.reader) }

  /// What others write to it, until they have closed it.
  func readAll() -> [UInt8] {
    close(ends.writer)
    var bytes: [UInt8] = []
    var toSkip = ends.filled
    while true {
      var byte: UInt8 = 0
      // One byte, of which there is room.
      if unsafe read(ends.reader, &byte, 1) != 1 { return bytes }
      if toSkip > 0 { toSkip -= 1 } else { bytes.append(byte) }
    }
  }
}
