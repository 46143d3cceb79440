import PageAlloc
import Synchronization
import SysMem

/// Many arenas behind one face.
package let poolChecks: [Check] = [
  Check("pool: a run is taken, found, written to and freed, of any length") { recorder in
    guard let pool = makePool(&recorder, always: true) else { return }
    for pages in [1, 2, 127, 128, 600, 5000] {
      recorder.context = "\(pages) pages"
      guard let run = pool.take(pages, &recorder) else { return }
      run.stamp(UInt64(pages))
      recorder.expect(pool.holds(run.address), "contained")
      recorder.expect(!pool.holds(1 << 20), "contained: what lies elsewhere")
      let extent = pool.extent(at: run.address + UInt(pages) * 8192 - 1)
      recorder.expect(extent?.address == run.address && extent?.pages == pages, "by its last byte")
      recorder.expectEqual(pool.statistics.inUseBytes, UInt64(pages) * 8192, "in use")
      recorder.expect(run.isStamped(UInt64(pages)), "its contents")
      let place = pool.place(of: run)
      recorder.expect(place == run.address, "from its offset and back")
      recorder.expect(pool.errorOfGiving(run) == nil, "freed")
      recorder.expect(pool.errorOfGiving(run) != nil, "twice")
      recorder.expectEqual(pool.statistics.inUseBytes, 0, "in use afterwards")
    }
    recorder.expectEqual(pool.arenaCount, 1, "arenas")
  },

  Check("pool: a run is freed by its address, with others, in parts and grown in place") {
    recorder in
    guard let pool = makePool(&recorder, caching: false) else { return }
    guard let one = pool.take(10, &recorder), let two = pool.take(6, &recorder) else { return }
    recorder.expect(pool.errorOfGivingWhole(one.part(1, 1)) != nil, "inside of a run")
    recorder.expect(pool.errorOfGiving(one.part(8, 2)) == nil, "a part")
    recorder.expectEqual(pool.extent(at: one.address)?.pages ?? 0, 8, "what is left")
    recorder.expect(pool.errorOfGivingWhole(one) == nil, "by its address")
    recorder.expect(pool.grows(two, to: 9), "grown in place")
    recorder.expectEqual(pool.extent(at: two.address)?.pages ?? 0, 9, "grown")
    recorder.expect(pool.errorOfGivingRuns(two.part(0, 9)) == nil, "as a range")
    recorder.expectEqual(pool.statistics.inUseBytes, 0, "in use")
  },

  Check("pool: bad input is refused, and changes nothing") { recorder in
    guard let pool = makePool(&recorder), let run = pool.take(4, &recorder) else { return }
    let before = pool.statistics.inUseBytes
    for pages in [Int.min, -1, 0, 1 << 19, Int.max] {
      recorder.context = "\(pages) pages"
      guard case .badPageCount(pages, _)? = pool.errorOfTaking(pages) else {
        recorder.fail("taken, or another error")
        continue
      }
      recorder.expect(pool.errorOfGiving(unsafe Run(run.pointer, pages: pages)) != nil, "freed")
    }
    recorder.context = ""
    for alignment in [0, -8192, 3, 12_288, Int.max] {
      recorder.expect(
        pool.errorOfTaking(1, alignment: alignment) == .badAlignment(alignment: alignment),
        "alignment \(alignment)")
    }
    recorder.expect(
      pool.errorOfGiving(run.misaligned(by: 16)) == .misaligned(base: run.address + 16),
      "misaligned")
    recorder.expect(pool.errorOfGiving(run.part(4, 1)) != nil, "behind the run")
    recorder.expect(pool.errorOfGiving(run.part(2, 4)) != nil, "past its end")
    guard let other = makePool(&recorder), let foreign = other.take(1, &recorder) else { return }
    recorder.expect(
      pool.errorOfGiving(foreign) == .foreign(base: foreign.address), "another pool's")
    recorder.expectEqual(pool.statistics.inUseBytes, before, "in use")
    recorder.expect(
      errorOfMaking(reserving: 0)
        == .badPoolReservation(reservedByteCount: 0, maximum: PagePool.maximumByteCount),
      "of 0 bytes")
    recorder.expect(
      errorOfMaking(reserving: PagePool.maximumByteCount + 1) != nil, "larger than there can be")
    recorder.expect(
      errorOfMaking(reserving: 1 << 32, limit: .bytes(soft: 2, hard: 1)) == .badMemoryLimit,
      "a soft limit above the hard one")
  },

  Check("pool: owners come and go, and outlive it") { recorder in
    if leavesOutPools(&recorder) { return }
    do throws(PageArenaError) {
      var pool: PagePool? = try PagePool(reserving: 1 << 32, options: quiet())
      let plain = try pool!.allocateRun(pages: 3)
      let guarded = try pool!.allocateGuardedRun(pages: 2)
      var closed = try pool!.allocateRun(pages: 8, access: .none)
      recorder.expectEqual(pool!.statistics.inUseBytes, 15 * 8192, "in use, two guards included")
      recorder.expect(pool!.offset(of: plain) != nil, "an owner's offset")
      plain.deallocate()
      recorder.expectEqual(pool!.statistics.inUseBytes, 12 * 8192, "in use after one has gone")
      let again = try pool!.allocateRun(pages: 3)
      pool = nil
      try closed.protect(.readWrite)
      var bytes = closed.mutableBytes
      bytes.storeBytes(of: 7, as: Int.self)
      recorder.expect(closed.bytes.byteCount == 8 * 8192, "an owner that lives on")
      guarded.deallocate()
      again.deallocate()
    } catch { recorder.fail(error.description) }
  },

  Check("pool: calls from a signal's handler under the lock of an arena are refused") { recorder in
    guard let pool = makePool(&recorder), let run = pool.take(2, &recorder) else { return }
    var errors: [PageArenaError?] = []
    pool.underHeapLock {
      errors = [
        pool.errorOfTaking(1), pool.errorOfTaking(600), pool.errorOfGiving(run),
        pool.errorOfGivingWhole(run), pool.errorOfGivingRuns(run),
        pool.errorOfLimiting(.bytes(hard: 1 << 30)),
      ]
    }
    for (index, error) in errors.enumerated() {
      recorder.expect(error == .reentered, "call \(index): \(error?.description ?? "no error")")
    }
    recorder.expect(pool.memoryLimits.hard == nil, "the limit was changed")
    recorder.expect(pool.errorOfGiving(run) == nil, "freed afterwards")
  },

  Check("pool: two threads take from different arenas, and a third frees what they took") {
    recorder in
    guard !is32Bit else { return recorder.leaveOut("a host of 32 bits has one arena") }
    guard let pool = makePool(&recorder) else { return }
    // On one processor all threads would share one arena.
    guard pool.homeCount > 1 else {
      return recorder.leaveOut("one processor: its threads share an arena")
    }
    let takers = [PoolTaker(pool), PoolTaker(pool)]
    runThreads(takers) { $0.take(200) }
    let homes = takers.map { unsafe arena(of: $0.runs[0]) }
    for (taker, home) in zip(takers, homes) {
      recorder.expect(
        unsafe taker.runs.allSatisfy { arena(of: $0) == home }, "one thread takes from two arenas")
    }
    recorder.expect(homes[0] != homes[1], "both take from one")
    recorder.expectEqual(pool.statistics.inUseBytes, 400 * 8192, "in use")
    let freer = PoolTaker(pool)
    for taker in takers { unsafe freer.add(taker.runs) }
    runThreads([freer]) { $0.giveAll() }
    recorder.expectEqual(freer.faults.load(ordering: .relaxed), 0, "frees that failed")
    recorder.expectEqual(pool.statistics.inUseBytes, 0, "in use at the end")
  },

  Check("pool: what one arena does not have is taken from the next") { recorder in
    guard !is32Bit else { return recorder.leaveOut("a host of 32 bits has one arena") }
    guard let pool = makePool(&recorder) else { return }
    // Address space alone: nothing is touched.
    let most = 1022 * 512
    guard let whole = pool.take(most, &recorder) else { return }
    recorder.expectEqual(pool.arenaCount, 1, "arenas")
    guard let small = pool.take(1, &recorder), let more = pool.take(most - 100, &recorder)
    else {
      return
    }
    recorder.expectEqual(pool.arenaCount, 2, "arenas once the first is full")
    recorder.expect(arena(of: small) != arena(of: whole), "beside a full one")
    small.stamp(3)
    if Int(pool.reservedByteCount >> 32) == 2 {
      guard case .outOfMemory(most, let largest)? = pool.errorOfTaking(most) else {
        return recorder.fail("taken, where there is none")
      }
      recorder.expect(largest < 100, "the largest free run: \(largest)")
    }
    for run in [whole, small, more] { recorder.expect(pool.errorOfGiving(run) == nil, "freed") }
    recorder.expectEqual(pool.statistics.inUseBytes, 0, "in use")
  },

  Check("pool: what is reserved is rounded up to whole arenas") { recorder in
    guard !is32Bit else { return recorder.leaveOut("a host of 32 bits has one arena") }
    if leavesOutPools(&recorder) { return }
    for (byteCount, arenas): (UInt64, UInt64) in [
      (1, 1), (1 << 32, 1), ((1 << 32) + 1, 2), (2 << 32, 2),
    ] {
      guard let pool = try? PagePool(reserving: byteCount, options: quiet()) else {
        return recorder.fail("no pool of \(byteCount) bytes")
      }
      recorder.expectEqual(pool.reservedByteCount, arenas << 32, "for \(byteCount)")
    }
  },

  Check("pool: refused at each of the kernel's calls, it is made later, and nothing is lost") {
    recorder in
    if leavesOutPools(&recorder) { return }
    let calls = FakeCalls()
    var options = PageArena.Options(calls: calls)
    options.scavenging = .manual
    var refusals = 0
    for number in 0..<64 {
      let mapped = calls.mappedByteCount.load(ordering: .relaxed)
      calls.failingCall.store(
        calls.callCount.load(ordering: .relaxed) + number, ordering: .relaxed)
      recorder.context = "call \(number)"
      do throws(PageArenaError) {
        let pool = try PagePool(reserving: 1 << 32, options: options)
        recorder.expect(pool.errorOfTaking(1) == nil || number > 2, "a page")
      } catch {
        refusals += 1
      }
      calls.failingCall.store(-1, ordering: .relaxed)
      recorder.expectEqual(
        calls.mappedByteCount.load(ordering: .relaxed), mapped, "still mapped")
    }
    recorder.expect(refusals >= 3, "refusals: \(refusals)")
  },
]

// MARK: - Support

/// Options with which nothing happens in the background.
func quiet(
  caching: Bool = true, limit: PageArena.MemoryLimit = .none
) -> PageArena.Options {
  var options = PageArena.Options(scavenging: .manual, memoryLimit: limit)
  if !caching { options.threadCacheByteCount = 0 }
  return options
}

/// Which multiple of 4 GiB a run lies behind.
private func arena(of run: Run) -> UInt64 { UInt64(run.address) >> 32 }

/// Whether pools are left out: each takes tens of MiB of an emulator's own memory for good.
func leavesOutPools(_ recorder: inout Recorder) -> Bool {
  if is32Bit || !isEmulated { return false }
  recorder.leaveOut("an emulator keeps tables of all address space that it has ever reserved")
  return true
}

/// Makes a pool of a few arenas, or records why there is none.
///
/// - Parameter always: under an emulator, too.
func makePool(
  _ recorder: inout Recorder, caching: Bool = true, limit: PageArena.MemoryLimit = .none,
  always: Bool = false
) -> PagePool? {
  if !always, leavesOutPools(&recorder) { return nil }
  do throws(PageArenaError) {
    // An emulator keeps tables for all of it.
    let arenas: UInt64 = is32Bit ? 1 : isEmulated ? 2 : 4
    return try PagePool(reserving: arenas << 32, options: quiet(caching: caching, limit: limit))
  } catch {
    recorder.fail("no pool: \(error.description)")
    return nil
  }
}

private func errorOfMaking(
  reserving byteCount: UInt64, limit: PageArena.MemoryLimit = .none
) -> PageArenaError? {
  do throws(PageArenaError) {
    _ = try PagePool(reserving: byteCount, options: quiet(limit: limit))
    return nil
  } catch { return error }
}

extension PagePool {
  func errorOfLimiting(_ limit: PageArena.MemoryLimit) -> PageArenaError? {
    errorThrown { () throws(PageArenaError) in try setMemoryLimit(limit) }
  }

  func grows(_ run: Run, to pages: Int) -> Bool {
    do throws(PageArenaError) {
      return unsafe try extend(run.pointer, to: pages)
    } catch { return false }
  }

  /// The address of a run by way of its offset.
  func place(of run: Run) -> UInt? {
    guard let offset = unsafe offset(of: run.pointer) else { return nil }
    return unsafe pointer(at: offset).map { UInt(bitPattern: $0) }
  }
}

/// A thread that takes runs.
final class PoolTaker: Sendable {
  let pool: PagePool
  let faults = Atomic<Int>(0)
  // Of one thread at a time.
  nonisolated(unsafe) private(set) var runs: [Run] = []

  init(_ pool: PagePool) { self.pool = pool }

  func take(_ count: Int, pages: Int = 1, stamped: Bool = false) {
    for _ in 0..<count {
      guard let run = try? pool.run(pages) else { continue }
      if stamped { run.stamp(UInt64(run.address)) }
      unsafe runs.append(run)
    }
  }

  func add(_ more: [Run]) { unsafe runs += more }

  func giveAll() {
    for run in unsafe runs where pool.errorOfGiving(run) != nil {
      faults.add(1, ordering: .relaxed)
    }
    unsafe runs = []
  }
}
