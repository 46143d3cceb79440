import PageAlloc
import SysMem

/// What an error says: the argument first, and the figures.
package let textChecks: [Check] = [
  Check("text: each error names its argument or its call") { recorder in
    let refused = SysMemError(call: .mmap, address: 0, byteCount: 1, errno: .outOfMemory)
    let texts: [(PageArenaError, StaticString)] = [
      (.badPageCount(pages: 0, limit: 9), "pages: 0"),
      (.badAlignment(alignment: 3), "alignment: 3"),
      (.badByteCount(byteCount: -1), "byteCount: -1"),
      (.badScavenging, "scavenging: "), (.badMemoryLimit, "memoryLimit: "),
      (
        .limitReached(pages: 3, inUseBytes: 8192, limitBytes: 16_384),
        "limit reached: 3 pages more than the 8192 bytes in use go beyond 16384 bytes"
      ),
      (.badLabel(byteCount: 50, limit: 48), "label: its 50 bytes"),
      (
        .badRecording(byteCount: 1, minimum: 4096, maximum: 1 << 30),
        "recording: byteCount 1 is not in 4096"
      ),
      (.recording(.notPermitted), "recording: the file cannot be made: EPERM"),
      (
        .badProfile(byteCount: 0, minimum: 1, maximum: 9),
        "profile: byteCount 0 is not in 1 ... 9"
      ), (.profile(.notPermitted), "profile: it cannot be made or written: EPERM"),
      (.badReservation(reservedByteCount: 1, minimum: 2), "reservedByteCount: 1"),
      (.misaligned(base: 255), "base: 0xff"),
      (.foreign(base: 255), "base: 0xff"),
      (.notInUse(base: 255, pages: 2), "base: the first of 2 pages at 0xff is not in use"),
      (.pastEndOfRun(base: 255, pages: 2), "pages: 2"),
      (.notARun(offset: 255), "offset: no run that is in use starts at 0xff"),
      (.notPlain(base: 255), "the run at 0xff"),
      (.writableCode, "access: "),
      (.partOfPhysicalPage(base: 255, physicalPageSize: 65_536), "what starts at 0xff"),
      (.notAStart(base: 255), "base: no run that is in use starts at 0xff"),
      (.notCommitted(lowerBound: 1, upperBound: 2), "range: 1 ..< 2 is not committed"),
      (.badGuardByteCount(guardByteCount: -1), "guardByteCount: -1"),
      (
        .badPoolReservation(reservedByteCount: 0, maximum: 4096),
        "reservedByteCount: 0 is not in 1 ... 4096"
      ),
      (.tooManyHoles(limit: 32), "range: the region would have more than 32 holes"),
      (.outOfBounds(lowerBound: -1, upperBound: 2, limit: 7), "range: -1 ..< 2 does not lie"),
      (.tooManyMappings(limit: 7), "more than 7 mappings"),
      (.unsupported(.mseal), "this host cannot do it: mseal"),
      (.outOfMemory(pages: 5, largestFreeRun: 4), "out of memory: no 5 pages"),
      (.noAddressSpace(refused), "no address space: mmap of 1 bytes: ENOMEM"),
      (.system(refused), "mmap of 1 bytes: ENOMEM"),
    ]
    for (error, start) in texts {
      recorder.expect(
        begins(error.description, start), "\(error.description), not: \(start.description)")
      recorder.expect(begins(error.debugDescription, "PageArenaError."), error.debugDescription)
    }
  },

  Check("text: an error that nobody catches names its case") { recorder in
    recorder.expect(
      begins(
        PageArenaError.badPageCount(pages: 0, limit: 9).debugDescription,
        "PageArenaError.badPageCount: pages: 0 is not in 1 ... 9"), "badPageCount")
    recorder.expect(
      begins(PageArenaError.reentered.debugDescription, "PageArenaError.reentered: a signal"),
      "reentered")
  },

  Check("text: a system without the rarer calls refuses them") { recorder in
    let system = SysMem(calls: PoorCalls())
    for call in 0..<4 {
      do throws(SysMemError) {
        switch call {
        case 0: try system.move(0, 4096, to: 8192)
        case 1: try system.setLocked(0, 4096, true)
        case 2: try system.setLocked(0, 4096, false)
        default: try system.advise(0, 4096, .populateWrite)
        }
        recorder.fail("call \(call) was not refused")
      } catch { recorder.expect(error.errno == .noSuchCall, error.description) }
    }
    recorder.expect(system.calls.isReadable(0) == nil, "it cannot tell")
    recorder.expect(!system.passBarrier(), "no barriers")
  },

  Check("text: what is locked can be leaked, and is locked no more") { recorder in
    guard let arena = makeArena(&recorder), var run = arena.own(2, guarded: true, &recorder)
    else { return }
    // A process may lock little, or nothing; the leak undoes what there was.
    try? run.lock()
    recorder.succeeds("dumps") { () throws(PageArenaError) in try run.excludeFromCoreDumps() }
    recorder.succeeds("protect") { () throws(PageArenaError) in try run.protect(.readOnly) }
    guard let memory = unsafe try? run.leak(), let base = memory.baseAddress else {
      recorder.fail("not leaked")
      return
    }
    let leaked = unsafe Run(base, pages: 2)
    leaked.stamp(1)
    recorder.expect(isReadable(leaked.address - 1), "no guard")
    recorder.expectEqual(arena.statistics.inUseBytes, 2 * 8192, "in use: the run alone")
    arena.give(leaked, &recorder)
    // Nothing keeps the kernel from taking it, as a lock would.
    recorder.expect((try? arena.releaseFreeMemory()) != nil, "released")
    recorder.expect(arena.brokenInvariant() == nil, "invariants")
  },
]

private func begins(_ text: String, _ start: StaticString) -> Bool {
  // A literal's bytes last as long as the program.
  unsafe text.utf8.starts(
    with: UnsafeBufferPointer(start: start.utf8Start, count: start.utf8CodeUnitCount))
}

/// A system that can do nothing.
private final class PoorCalls: MemoryCalls {
  let physicalPageSize = 4096
  let hugePageSize = 0

  func mmap(
    _ address: UInt, _ byteCount: UInt, _ protection: MemoryProtection, replacing: Bool
  ) throws(Errno) -> UInt { throw .noSuchCall }
  func munmap(_ address: UInt, _ byteCount: UInt) throws(Errno) { throw .noSuchCall }
  func mprotect(
    _ address: UInt, _ byteCount: UInt, _ protection: MemoryProtection
  ) throws(Errno) { throw .noSuchCall }
  func madvise(
    _ address: UInt, _ byteCount: UInt, _ advice: MemoryAdvice
  ) throws(Errno) { throw .noSuchCall }
}
