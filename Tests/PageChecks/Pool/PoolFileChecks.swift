import CSysMem
import CTestSystem
import PageAlloc
import PageTrace

/// What the arenas of a pool write, each to a file of its own.
package let poolFileChecks: [Check] = [
  Check("pool files: each arena has a recording of its own") { recorder in
    let path = path(of: "recording")
    guard let pool = makePool(recording: .file(path, byteCount: 64 << 10), &recorder) else {
      return
    }
    // Address space alone: nothing is touched.
    guard let first = pool.take(1022 * 512, &recorder), let second = pool.take(300, &recorder)
    else { return }
    recorder.expectEqual(pool.arenaCount, 2, "arenas")
    for (run, path) in [(first, path), (second, path + ".2")] {
      recorder.context = path
      guard let bytes = try? readFile(path) else { return recorder.fail("no file") }
      // C reads it within the call.
      _ = unsafe ctest_unlink(path)
      guard let recording = try? RecordingFile(bytes) else {
        return recorder.fail("no recording")
      }
      recorder.expect(recording.records.map { $0.pages.count } == [run.pages], "runs")
    }
  },

  Check("pool files: each arena has a profile of its own") { recorder in
    if leavesOutProfiles(&recorder) { return }
    let path = path(of: "profile")
    do {
      guard
        let pool = makePool(profile: .sampled(every: 1, file: path), &recorder),
        pool.take(1022 * 512, &recorder) != nil, pool.take(300, &recorder) != nil
      else { return }
      recorder.expectEqual(pool.arenaCount, 2, "arenas")
    }
    for (pages, path) in [(1022 * 512, path), (300, path + ".2")] {
      recorder.context = path
      guard let bytes = try? readFile(path), let file = PprofFile(bytes) else {
        return recorder.fail("no profile")
      }
      // C reads it within the call.
      _ = unsafe ctest_unlink(path)
      recorder.expect(file.samples.map { $0.values[3] } == [UInt64(pages) * 8192], "in use")
    }
  },

  Check("pool: a guarded run that fits no arena has none made for it") { recorder in
    guard let pool = makePool(&recorder) else { return }
    let half = 1 << 31
    for (pages, alignment) in [(1, half), (512 * 512, half / 2), (1022 * 512 - 2, 1 << 22)] {
      recorder.context = "\(pages) pages at \(alignment)"
      do throws(PageArenaError) {
        _ = try pool.allocateGuardedRun(pages: pages, alignment: alignment)
        recorder.fail("it was had")
      } catch {
        guard case .outOfMemory(pages, _) = error else { return recorder.fail(error.description) }
      }
      recorder.expectEqual(pool.arenaCount, 1, "arenas")
    }
  },
]

/// A file's name that no other process uses.
private func path(of name: String) -> String { "/tmp/pagealloc-check-\(csm_process())-\(name)" }

/// A pool of two arenas, or the reason why there is none.
private func makePool(
  recording: PageArena.Recording = .none, profile: PageArena.Profile = .off,
  _ recorder: inout Recorder
) -> PagePool? {
  guard !is32Bit else {
    recorder.leaveOut("a host of 32 bits has one arena")
    return nil
  }
  if leavesOutPools(&recorder) { return nil }
  var options = quiet()
  options.recording = recording
  options.profile = profile
  do throws(PageArenaError) {
    return try PagePool(reserving: 2 << 32, options: options)
  } catch {
    recorder.fail("no pool: \(error.description)")
    return nil
  }
}
