import CSysMem
import CTestSystem
import PageAlloc
import PageTrace

/// Snapshots that are written to files, and read again.
package let snapshotFileChecks: [Check] = [
  Check("snapshot file: what is written is the text, and what is read is the snapshot") {
    recorder in
    guard let arena = makeArena(&recorder), let run = arena.take(700, &recorder) else { return }
    var snapshot = arena.snapshot()
    expectRoundTrip(snapshot, &recorder)
    // Many stretches: more text than goes at once.
    for page in stride(from: 0, to: 700, by: 2) { arena.give(run.part(page, 1), &recorder) }
    guard arena.own(3, guarded: true, &recorder) != nil else { return }
    snapshot = arena.snapshot()
    recorder.expect(snapshot.text.utf8.count > 5000, "\(snapshot.text.utf8.count) bytes of text")
    expectRoundTrip(snapshot, &recorder)
    guard let empty = makeArena(&recorder) else { return }
    expectRoundTrip(empty.snapshot(), &recorder)
  },

  Check("snapshot file: taken while four threads churn") { recorder in
    guard let arena = makeArena(&recorder) else { return }
    let workers = (1...4).map { Churn(arena, seed: UInt64($0)) }
    runThreads(
      workers,
      meanwhile: { for _ in 0..<10 { expectRoundTrip(arena.snapshot(), &recorder) } }
    ) { $0.churn() }
    let end = arena.snapshot()
    recorder.expectEqual(end.count(of: .inUse), 0, "in use at the end")
    expectRoundTrip(end, &recorder)
  },

  Check("snapshot file: what the system refuses is an error") { recorder in
    guard let arena = makeArena(&recorder), arena.take(1, &recorder) != nil else { return }
    let snapshot = arena.snapshot()
    expectError(EBADF, &recorder) { () throws(Errno) in try snapshot.write(to: -1) }
    expectError(ENOSPC, &recorder) { () throws(Errno) in try snapshot.write(toPath: "/dev/full") }
    expectError(ENOENT, &recorder) { () throws(Errno) in
      try snapshot.write(toPath: "/dev/none/of/these")
    }
  },

  Check("snapshot file: what is no such file is refused, with the line") { recorder in
    let head = "pagealloc-snapshot 1 pages 3 page-size 8192 base 0x1000\n"
    guard let good = try? SnapshotFile(Array((head + "2 inUse\n1 free\n").utf8)) else {
      return recorder.fail("not read")
    }
    recorder.expect(good.address == 0x1000 && good.pageSize == 8192, "the first line")
    recorder.expectEqual(good.count(of: .inUse), 2, "in use")
    recorder.expect(
      good.stretches == [
        SnapshotFile.Stretch(pages: 0..<2, state: .inUse),
        SnapshotFile.Stretch(pages: 2..<3, state: .free),
      ], "the stretches")
    let refused: [(text: String, line: Int)] = [
      ("", 1), ("pagealloc-snapshot", 1), ("pagealloc-trace 1\n", 1),
      ("pagealloc-snapshot 2 pages 3 page-size 8192 base 0x1000\n3 inUse\n", 1),
      ("pagealloc-snapshot 1 pages 3 page-size 8192 base 1000\n3 inUse\n", 1),
      ("pagealloc-snapshot 1 pages 3 page-size 8192 base 0x\n3 inUse\n", 1),
      ("pagealloc-snapshot 1 pages 3 page-size 8192 base 0x1000 more\n3 inUse\n", 1),
      ("pagealloc-snapshot 1 pages 600000 page-size 8192 base 0x1000\n", 1),
      (head, 2), (head + "2 inUse\n", 3), (head + "2 inUse\n2 free\n", 3),
      (head + "0 inUse\n3 free\n", 2), (head + "3 inuse\n", 2), (head + "3 inUse", 2),
      (head + "3 inUse \n", 2), (head + "x inUse\n", 2), (head + "99999999999999999999 free\n", 2),
    ]
    for (text, line) in refused {
      do throws(TraceFormatError) {
        _ = try SnapshotFile(Array(text.utf8))
        recorder.fail("read: \(text)")
      } catch { recorder.expectEqual(error.line, line, error.description) }
    }
  },
]

/// Writes a snapshot to a file by both ways, and reads it again.
private func expectRoundTrip(
  _ snapshot: PageSnapshot, _ recorder: inout Recorder, line: UInt = #line
) {
  let descriptor = ctest_memory_file()
  if descriptor < 0 { return recorder.fail("no file in memory", line: line) }
  defer { csm_close(descriptor) }
  let path = "/proc/self/fd/\(descriptor)"
  for isByPath in [false, true] {
    do throws(Errno) {
      // The second way empties what the first has written.
      if isByPath { try snapshot.write(toPath: path) } else { try snapshot.write(to: descriptor) }
    } catch { return recorder.fail("not written: \(error.description)", line: line) }
    guard let bytes = try? readFile(path) else {
      return recorder.fail("not read", line: line)
    }
    recorder.expect(bytes.elementsEqual(snapshot.text.utf8), "the text", line: line)
    do throws(TraceFormatError) {
      let file = try SnapshotFile(bytes)
      recorder.expectEqual(file.pageCount, snapshot.pageCount, "pages", line: line)
      recorder.expectEqual(file.address, UInt64(snapshot.address), "the address", line: line)
      var index = 0
      snapshot.forEachStretch { pages, state in
        let isSame =
          index < file.stretches.count
          && file.stretches[index] == SnapshotFile.Stretch(pages: pages, state: state)
        recorder.expect(isSame, "stretch \(index)", line: line)
        index += 1
      }
      recorder.expectEqual(file.stretches.count, index, "stretches", line: line)
      for state in PageState.allCases {
        recorder.expectEqual(file.count(of: state), snapshot.count(of: state), state.name)
      }
    } catch { recorder.fail(error.description, line: line) }
  }
}

private func expectError(
  _ errno: Int32, _ recorder: inout Recorder, line: UInt = #line,
  _ body: () throws(Errno) -> Void
) {
  do throws(Errno) {
    try body()
    recorder.fail("no error", line: line)
  } catch { recorder.expectEqual(error.rawValue, errno, "the error", line: line) }
}
