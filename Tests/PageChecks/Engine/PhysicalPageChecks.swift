import PageAlloc
import SysMem
import Synchronization

/// Kernels with other pages: tables, growth and what goes back keep to their kernelPages.
package let physicalPageChecks: [Check] = [
  Check("physical pages: the tables lie between guards and cost what they say") { recorder in
    for size in sizes {
      recorder.context = "pages of \(size)"
      let calls = GrainCalls(physicalPageSize: size)
      let system = SysMem(calls: calls)
      recorder.expectNoError("tables") { recorder throws(SysMemError) in
        let owner = try StandaloneTables(system: system, headByteCount: 100)
        let unit = UInt(size)
        let fixed = owner.tables.mappedByteCount
        recorder.expect(fixed >= 100 + 9360 + 8192 + 64, "\(fixed) bytes of tables")
        recorder.expectEqual(fixed % unit, 0, "tables in whole pages")
        let head = owner.tables.address(of: .head)
        guard let memory = ProbedMemory(head) else { return recorder.fail("mapped at 0") }
        guard let below = ProbedMemory(head - 1) else { return recorder.fail("mapped at 1") }
        recorder.expect(memory.isWritable() && memory.isWritable(at: fixed - 1), "both ends")
        recorder.expect(!below.isWritable(), "a guard below")
        let map = owner.tables.address(of: .chunks) - head
        recorder.expect(memory.isWritable(at: map), "the chunk map is there")
        recorder.expectEqual(
          system.statistics.readyBytes, UInt64(fixed), "but costs nothing at first")

        owner.tables.mapChunks(0..<1)
        // Of chunk map and run table, and of what says where long runs start.
        recorder.expectEqual(owner.tables.mappedByteCount, fixed + 3 * unit, "a page of each")
        owner.tables.mapChunks(0..<1)
        recorder.expectEqual(
          owner.tables.mappedByteCount, fixed + 3 * unit, "nothing is mapped twice")
        owner.tables.mapChunks(1..<Geometry.chunkCount)
        let chunkMap = system.roundedToPhysicalPages(UInt(ChunkMap.byteCount))
        recorder.expectEqual(
          owner.tables.mappedByteCount,
          fixed + chunkMap
            + system.roundedToPhysicalPages(UInt(RunTable.byteCount - DecommittedPages.byteCount)),
          "the whole chunk map and run table")
        let whole = chunkMap + system.roundedToPhysicalPages(UInt(RunTable.byteCount))
        recorder.expect(memory.isWritable(at: map + chunkMap - 1), "the chunk map's last page")
        recorder.expect(memory.isWritable(at: map + whole - 1), "the run table's last page")
        recorder.expect(!memory.isWritable(at: map + whole), "a guard above")
        recorder.expectEqual(
          calls.fake.mappedByteCount.load(ordering: .relaxed),
          Int(bitPattern: map + whole + 2 * unit), "address space, with two guards")
        recorder.expectEqual(
          system.statistics.readyBytes, UInt64(owner.tables.mappedByteCount), "ready bytes")
      }
      recorder.expect(system, reserved: 0, prepared: 0, ready: 0, "tables gone")
      calls.expectNothingLeft(&recorder)
    }
  },
  Check("physical pages: tables refused at any call leave nothing behind") { recorder in
    let calls = GrainCalls(physicalPageSize: 4096)
    let system = SysMem(calls: calls)
    // Without markers the guards are two calls more.
    calls.fake.hasGuardMarkers.store(false, ordering: .relaxed)
    for number in 0..<4 {
      recorder.context = "call \(number)"
      calls.fake.fail(call: number)
      do throws(SysMemError) {
        _ = try StandaloneTables(system: system, headByteCount: 0)
        recorder.expectEqual(number, 3, "three calls make the tables")
      } catch {
        recorder.expect(
          error.call == (number == 0 ? .mmap : .mprotect) && error.errno == .outOfMemory,
          "refused: \(error.description)")
        recorder.expect(number < 3, "three calls make the tables")
      }
      calls.fake.failNoMore()
      recorder.expect(system, reserved: 0, prepared: 0, ready: 0, "tables gone")
      calls.expectNothingLeft(&recorder)
    }
  },
  Check("physical pages: an arena gives back whole ones, keeps what is in use, and grows") {
    recorder in
    for size in sizes {
      recorder.context = "pages of \(size)"
      let calls = GrainCalls(physicalPageSize: size)
      scavengeEveryOther(calls, &recorder)
      calls.expectNothingLeft(&recorder)
      recorder.expect(calls.advisedBytes.load(ordering: .relaxed) > 0, "something went back")
    }
  },
]

private let sizes = [4096, 16 << 10, 64 << 10, 512 << 10]

/// Fills two chunks, frees groups of pages with one in use here and there, and gives memory back.
private func scavengeEveryOther(_ calls: GrainCalls, _ recorder: inout Recorder) {
  guard let arena = makeArena(&recorder, calls: calls, byteCount: 64 << 20, caching: false) else {
    return
  }
  let group = max(1, calls.physicalPageSize / 8192)
  var runs: [Run] = []
  for page in 0..<1024 {
    guard let run = arena.take(1, &recorder) else { return }
    run.stamp(UInt64(page) << 20)
    runs.append(run)
  }
  recorder.expectEqual(arena.statistics.readyBytes, 8 << 20, "grown by chunks")

  // Groups 0, 4, 8 ... go whole; of groups 1, 5, 9 ... one page stays; the others stay.
  var wholeBytes: UInt64 = 0
  var freed = [Bool](repeating: false, count: 1024)
  for page in 0..<1024 {
    let number = page / group
    let isWhole = number % 4 == 0
    let isPart = number % 4 == 1 && page % group != group / 2
    if !isWhole && !isPart { continue }
    arena.give(runs[page], &recorder)
    freed[page] = true
    if isWhole { wholeBytes += 8192 }
  }
  do throws(PageArenaError) {
    let released = try arena.releaseFreeMemory()
    recorder.expectEqual(UInt64(released), wholeBytes, "bytes given back")
    recorder.expectEqual(arena.statistics.scavengedBytes, wholeBytes, "scavenged bytes")
    recorder.expectEqual(try arena.releaseFreeMemory(), 0, "nothing more to give back")
  } catch { recorder.fail("refused: \(error.description)") }
  for page in 0..<1024 where !freed[page] {
    recorder.expect(runs[page].isStamped(UInt64(page) << 20), "page \(page) keeps its contents")
  }
  recorder.expectEqual(
    Int(bitPattern: calls.advisedBits.load(ordering: .relaxed)) & (calls.physicalPageSize - 1), 0,
    "what goes back starts and ends on the kernelPages")

  // What went back reads as zero, and the same memory serves again before the arena grows.
  for page in 0..<1024 where freed[page] {
    guard let run = arena.take(1, zeroed: true, &recorder) else { return }
    recorder.expect(run == runs[page] && run.isZero, "page \(page) again")
  }
  recorder.expectEqual(arena.statistics.readyBytes, 8 << 20, "not grown")
  recorder.expectEqual(arena.statistics.freeMaybeResidentBytes, 0, "nothing is free")
}

/// Passes calls on to the fake ones, and notes on what ranges they were made.
private final class GrainCalls: MemoryCalls {
  let fake: FakeCalls
  /// Addresses and sizes of the ranges that went back, their bits put together.
  let advisedBits = Atomic<UInt>(0)
  /// Addresses and sizes of all ranges.
  let allBits = Atomic<UInt>(0)
  /// Bytes that went back.
  let advisedBytes = Atomic<UInt>(0)

  init(physicalPageSize: Int) {
    fake = FakeCalls(physicalPageSize: physicalPageSize, hugePageSize: 0)
  }

  var physicalPageSize: Int { fake.physicalPageSize }
  var hugePageSize: Int { fake.hugePageSize }

  /// Every range was on the kernelPages, and all memory has gone back.
  func expectNothingLeft(_ recorder: inout Recorder) {
    recorder.expectEqual(
      Int(bitPattern: allBits.load(ordering: .relaxed)) & (physicalPageSize - 1), 0,
      "calls are made on the kernelPages")
    recorder.expectEqual(fake.mappedByteCount.load(ordering: .relaxed), 0, "bytes left mapped")
  }

  func mmap(
    _ address: UInt, _ byteCount: UInt, _ protection: MemoryProtection, replacing: Bool
  ) throws(Errno) -> UInt {
    allBits.bitwiseOr(address | byteCount, ordering: .relaxed)
    return try fake.mmap(address, byteCount, protection, replacing: replacing)
  }

  func munmap(_ address: UInt, _ byteCount: UInt) throws(Errno) {
    allBits.bitwiseOr(address | byteCount, ordering: .relaxed)
    try fake.munmap(address, byteCount)
  }

  func mprotect(
    _ address: UInt, _ byteCount: UInt, _ protection: MemoryProtection
  ) throws(Errno) {
    allBits.bitwiseOr(address | byteCount, ordering: .relaxed)
    try fake.mprotect(address, byteCount, protection)
  }

  func madvise(_ address: UInt, _ byteCount: UInt, _ advice: MemoryAdvice) throws(Errno) {
    allBits.bitwiseOr(address | byteCount, ordering: .relaxed)
    try fake.madvise(address, byteCount, advice)
    if advice == .dontNeed {
      advisedBits.bitwiseOr(address | byteCount, ordering: .relaxed)
      advisedBytes.add(byteCount, ordering: .relaxed)
    }
  }

  func membarrier() throws(Errno) { try fake.membarrier() }
}
