import PageAlloc
import SysMem

/// What an arena of a pool leaves when nobody uses it any more.
package let poolRetreatChecks: [Check] = [
  Check("pool: an arena that became empty goes back, and comes again") { recorder in
    guard !is32Bit else { return recorder.leaveOut("a host of 32 bits has one arena, in pieces") }
    guard let pool = makePool(&recorder) else { return }
    let before = pool.statistics
    var tables: UInt64 = 0
    for round in 1...3 {
      recorder.context = "round \(round)"
      var runs: [Run] = []
      for pages in [1, 127, 600, 20_000] {
        guard let run = pool.take(pages, &recorder) else { return }
        recorder.expect(pages > 600 || round == 1 || run.isZero, "as fresh")
        if pages < 20_000 { run.stamp(UInt64(pages)) }
        runs.append(run)
      }
      recorder.expectEqual(pool.statistics.inUseBytes, 20_728 * 8192, "in use")
      if round == 1 { tables = pool.statistics.metadataBytes }
      recorder.expectEqual(pool.statistics.metadataBytes, tables, "tables")
      // With one page in use nothing goes but what is free.
      for run in runs.dropFirst() { recorder.expect(pool.errorOfGiving(run) == nil, "freed") }
      _ = try? pool.releaseFreeMemory()
      recorder.expect(pool.statistics.readyBytes > 0, "gone while a page is in use")
      recorder.expect(runs[0].isStamped(1), "its contents")
      recorder.expect(pool.errorOfGiving(runs[0]) == nil, "freed")
      recorder.expect(pool.errorOfGiving(runs[0]) != nil, "twice")
      _ = try? pool.releaseFreeMemory()
      let after = pool.statistics
      recorder.expectEqual(after.readyBytes, 0, "ready")
      recorder.expectEqual(after.scavengedBytes, 0, "scavenged")
      recorder.expectEqual(after.reservedBytes, before.reservedBytes, "reserved")
      recorder.expect(after.metadataBytes < tables, "tables afterwards: \(after.metadataBytes)")
      recorder.expect(pool.brokenInvariant() == nil, "the invariants hold")
      recorder.expect(pool.errorOfGiving(runs[2]) != nil, "freed where nothing is")
      recorder.expect(LinuxCalls().isReadable(runs[2].address) != true, "it can be read")
    }
  },

  Check("pool: an empty arena stays where the kernel refuses to take it, and works") { recorder in
    guard !is32Bit else { return recorder.leaveOut("a host of 32 bits has one arena, in pieces") }
    if leavesOutPools(&recorder) { return }
    let calls = FakeCalls()
    var options = PageArena.Options(calls: calls)
    options.scavenging = .manual
    for number in 0..<12 {
      recorder.context = "call \(number)"
      do throws(PageArenaError) {
        let pool = try PagePool(reserving: 1 << 32, options: options)
        guard let run = pool.take(700, &recorder) else { return }
        run.stamp(5)
        recorder.expect(pool.errorOfGiving(run) == nil, "freed")
        calls.failingCall.store(
          calls.callCount.load(ordering: .relaxed) + number, ordering: .relaxed)
        _ = try? pool.releaseFreeMemory()
        calls.failingCall.store(-1, ordering: .relaxed)
        recorder.expect(pool.brokenInvariant() == nil, "the invariants hold")
        guard let again = try? unsafe Run(pool.allocate(pages: 700, zeroed: true), pages: 700)
        else { return recorder.fail("nothing to be had") }
        recorder.expect(again.isZero, "zeroed")
        again.stamp(6)
        recorder.expect(pool.errorOfGiving(again) == nil, "freed again")
      } catch { recorder.fail(error.description) }
      recorder.expectEqual(calls.mappedByteCount.load(ordering: .relaxed), 0, "still mapped")
    }
  },
]

/// What takes gigabytes, or other threads' time.
package let poolAloneChecks: [Check] = [
  Check("pool: far more than 4 GiB, really used, by three threads, and gone afterwards") {
    recorder in
    guard !is32Bit else { return recorder.leaveOut("a host of 32 bits has 4 GiB in all") }
    guard !isEmulated else {
      return recorder.leaveOut("an emulator keeps gigabytes of tables for so much address space")
    }
    let gibibytes = availableBytes() >= 12 << 30 ? 8 : 1
    recorder.tell("\(gibibytes) GiB used of 64 GiB reserved")
    do throws(PageArenaError) {
      let pool = try PagePool(reserving: 64 << 30)
      recorder.expectEqual(pool.reservedByteCount, 64 << 30, "reserved")
      // Runs of 2 MiB, so that each arena has many.
      let runPages = 256
      let count = gibibytes * 512 / 2
      let takers = [PoolTaker(pool), PoolTaker(pool)]
      runThreads(takers) { $0.take(count, pages: runPages, stamped: true) }
      let all = unsafe takers[0].runs + takers[1].runs
      recorder.expectEqual(all.count, 2 * count, "runs")
      let bytes = UInt64(gibibytes) << 30
      recorder.expectEqual(pool.statistics.inUseBytes, bytes, "in use")
      recorder.expect(try pool.measureResident() >= bytes, "resident")
      for run in all where !run.isStamped(UInt64(run.address)) { recorder.fail("contents") }
      // Each fills its own arena, and goes on where there is room.
      let homes = takers.map { unsafe UInt64($0.runs[0].address) >> 32 }
      recorder.expect(homes[0] != homes[1] || pool.homeCount < 2, "both began in one arena")
      let freer = PoolTaker(pool)
      freer.add(all)
      runThreads([freer]) { $0.giveAll() }
      recorder.expectEqual(freer.faults.load(ordering: .relaxed), 0, "frees that failed")
      recorder.expectEqual(pool.statistics.inUseBytes, 0, "in use at the end")
      // The scavenger does it by itself, as it finds the time; who cannot wait asks.
      try pool.releaseFreeMemory()
      recorder.expectEqual(pool.statistics.readyBytes, 0, "ready at the end")
      recorder.expectEqual(try pool.measureResident(), 0, "resident at the end")
    } catch { recorder.fail(error.description) }
  }
]

/// What the system could give a process without swapping; 0 where it does not say.
private func availableBytes() -> Int {
  var kibibytes = 0
  _ = forEachLine(of: FixedText<32>("/proc/meminfo")) { line in
    guard line.has("MemAvailable:", at: 0) else { return }
    var place = 13
    while place < line.count, line[place] == UInt8(ascii: " ") { place += 1 }
    kibibytes = line.number(at: place).map { Int(clamping: $0) } ?? 0
  }
  return kibibytes << 10
}
