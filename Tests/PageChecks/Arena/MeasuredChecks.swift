import PageAlloc
import SysMem

/// What the kernel says of an arena's memory, beside what the arena can know of it.
package let measuredChecks: [Check] = [
  Check("measured: what nobody wrote to is not there, what was written to is") { recorder in
    var options = PageArena.Options()
    options.scavenging = .manual
    options.hugePages = .avoid
    guard let arena = makeArena(&recorder, options), let run = arena.take(16_384, &recorder) else {
      return
    }
    do throws(PageArenaError) {
      let before = try arena.measureResident()
      recorder.expect(before < 1 << 20, "\(before) bytes before anybody wrote")
      recorder.expect(arena.statistics.maybeResidentBytes >= 128 << 20, "the bound")
      // Pages apart, so that there are more stretches than one call tells of.
      for page in stride(from: 0, to: 1000, by: 2) { run.part(page, 1).stamp(1) }
      recorder.expectEqual(try arena.measureResident() - before, 500 << 13, "written to")
      arena.give(run, &recorder)
      recorder.expectEqual(try arena.measureResident() - before, 500 << 13, "freed")
      _ = try arena.releaseFreeMemory()
      recorder.expectEqual(try arena.measureResident(), 0, "given back")
      recorder.expectEqual(arena.statistics.maybeResidentBytes, 0, "the bound, then")
    } catch { recorder.fail(error.description) }
  },

  Check("measured: what a client discards is gone while the run is in use") { recorder in
    guard let arena = makeArena(&recorder) else { return }
    do throws(PageArenaError) {
      var run = try arena.allocateRun(pages: 512)
      let before = try arena.measureResident()
      write(to: &run)
      recorder.expectEqual(try arena.measureResident() - before, 4 << 20, "written to")
      try run.discard()
      recorder.expectEqual(try arena.measureResident(), before, "discarded")
      recorder.expectEqual(arena.statistics.returned.discardedBytes, 4 << 20, "counted")
    } catch { recorder.fail(error.description) }
  },

  Check("measured: what is in every piece of the address space") { recorder in
    guard growsByPieces else {
      return recorder.leaveOut("all is in one piece, but where a word has 32 bits")
    }
    let calls = FakeCalls()
    // Half of it less a chunk is what is reserved at a time: 64 MiB.
    calls.leftBytes.store(140 << 20, ordering: .relaxed)
    var options = PageArena.Options(calls: calls)
    options.scavenging = .manual
    options.hugePages = .avoid
    guard let arena = makeArena(&recorder, options) else { return }
    do throws(PageArenaError) {
      let runs = try [arena.run(7680), arena.run(7680), arena.run(7680)]
      recorder.expectEqual(arena.statistics.reservedBytes, 192 << 20, "reserved: three pieces")
      var measured = try arena.measureResident()
      for (index, run) in runs.enumerated() {
        recorder.context = "piece \(index)"
        // Pages apart, and a number of its own.
        for page in 1...(100 * (index + 1)) { run.part(4 * page, 1).stamp(1) }
        measured += UInt64(100 * (index + 1)) << 13
        recorder.expectEqual(try arena.measureResident(), measured, "written to")
      }
      recorder.context = ""
      for run in runs { arena.give(run, &recorder) }
      _ = try arena.releaseFreeMemory()
      recorder.expectEqual(try arena.measureResident(), 0, "given back")
    } catch { recorder.fail(error.description) }
  },

  Check("measured: both ways of asking the kernel agree") { recorder in
    guard let arena = makeArena(&recorder), let run = arena.take(8192, &recorder) else { return }
    var random = SplitMix64(seed: 7)
    for _ in 0..<1000 { run.part(random.below(8192), 1).stamp(1) }
    let scan = ResidencyScan(
      run.address, 8192 << 13, physicalPageSize: LinuxCalls().physicalPageSize)
    do throws(Errno) {
      let pages = try scan.byMincore()
      recorder.expect(pages >= 900 << 13, "written to, by mincore: \(pages)")
      guard let stretches = scan.byPagemap() else {
        return recorder.leaveOut("the kernel has no PAGEMAP_SCAN: Linux before 6.7, or qemu-user")
      }
      recorder.expectEqual(stretches, pages, "by PAGEMAP_SCAN")
    } catch { recorder.fail("mincore: \(error.description)") }
  },

  Check("measured: a kernel that does not say is told of") { recorder in
    let calls = FakeCalls()
    guard let arena = makeArena(&recorder, PageArena.Options(calls: calls)),
      let run = arena.take(1, &recorder)
    else { return }
    calls.refuse(.mincore)
    do throws(PageArenaError) {
      _ = try arena.measureResident()
      recorder.fail("no error")
    } catch {
      guard case .system(let refusal) = error else { return recorder.fail(error.description) }
      recorder.expect(refusal.call == .mincore, refusal.description)
    }
    arena.give(run, &recorder)
  },
]

/// Writes a byte to every page of 8 KiB, and to every page of the kernel's in it.
private func write(to run: inout PageRun) {
  var bytes = run.mutableBytes
  for place in stride(from: 0, to: bytes.byteCount, by: 4096) {
    bytes.storeBytes(of: 1, toByteOffset: place, as: UInt8.self)
  }
}
