// A program whose malloc tells on whoever calls it, once an arena is made and the thread has made
// its first call: nothing in the library does, and no free starts a thread.
//
//     malloc           each kind of call by itself; status 0 where none allocates
//     malloc breaks    the same with a call that does: to see that it would be told

import Glibc
import PageAlloc
import Refusing

/// What held and what did not; one thread counts.
struct Verdicts {
  nonisolated(unsafe) static var passed = 0
  nonisolated(unsafe) static var failed = 0
}

/// Does something a few times, and says where that came to malloc or started a thread.
func quietly(_ name: StaticString, _ body: () throws(PageArenaError) -> Void) {
  let (before, threads) = (refused_calls(), started_threads())
  var refusal: PageArenaError?
  refuse_malloc(1)
  for _ in 0..<3 {
    do throws(PageArenaError) { try body() } catch { refusal = error }
  }
  refuse_malloc(0)
  let calls = refused_calls() - before
  let started = started_threads() - threads
  if let refusal { print("FAILED: \(name): \(refusal)") }
  if calls != 0 { print("FAILED: \(name): \(calls) calls of malloc") }
  if started != 0 { print("FAILED: \(name): \(started) threads started") }
  if calls != 0 || started != 0 || refusal != nil {
    unsafe Verdicts.failed += 1
  } else {
    unsafe Verdicts.passed += 1
  }
}

/// That something throws, and allocates nothing for it.
func refused(_ name: StaticString, _ body: () throws(PageArenaError) -> Void) {
  quietly(name) { () throws(PageArenaError) in
    var isRefused = false
    do throws(PageArenaError) { try body() } catch { isRefused = true }
    if !isRefused { unsafe Verdicts.failed += 1 }
  }
}

func frames(_ arena: PageArena) {
  guard let slab = try? PageSlab(frameByteCount: 1024, in: arena),
    let first = unsafe try? slab.allocate(), unsafe (try? slab.deallocate(first)) != nil
  else { fatalError("no slab") }
  quietly("frames of a slab") { () throws(PageArenaError) in
    var last: UnsafeMutableRawPointer?
    for _ in 0..<300 {
      let frame = unsafe try slab.allocate()
      unsafe frame.storeBytes(of: last, as: UnsafeMutableRawPointer?.self)
      unsafe last = frame
    }
    while let frame = unsafe last {
      unsafe last = frame.load(as: UnsafeMutableRawPointer?.self)
      unsafe try slab.deallocate(frame)
    }
    let owned = try slab.allocateFrame()
    owned.deallocate()
    try slab.releaseFreeMemory()
  }
  refused("a frame twice") { () throws(PageArenaError) in unsafe try slab.deallocate(first) }
}

func raw(_ arena: PageArena) {
  quietly("allocate and deallocate") { () throws(PageArenaError) in
    for pages in [1, 3, 64, 127, 128, 600, 2000] {
      let run = unsafe try arena.allocate(pages: pages)
      unsafe memset(run, 1, pages * PageArena.pageSize)
      unsafe try arena.deallocate(run, pages: pages)
    }
  }
  quietly("zeroed, aligned") { () throws(PageArenaError) in
    for pages in [1, 100, 3000] {
      let run = unsafe try arena.allocate(pages: pages, alignment: 1 << 16, zeroed: true)
      unsafe try arena.deallocate(run, pages: pages)
    }
  }
  quietly("in parts") { () throws(PageArenaError) in
    let run = unsafe try arena.allocate(pages: 300)
    for part in 0..<300 {
      unsafe try arena.deallocate(run + part * PageArena.pageSize, pages: 1)
    }
  }
  let base = unsafe try? arena.allocate(pages: 4)
  guard let base = unsafe base else { fatalError("no run") }
  refused("no pages") { () throws(PageArenaError) in unsafe _ = try arena.allocate(pages: 0) }
  refused("too many") { () throws(PageArenaError) in unsafe _ = try arena.allocate(pages: 90_000) }
  refused("past the end") { () throws(PageArenaError) in
    unsafe try arena.deallocate(base, pages: 5)
  }
  refused("misaligned") { () throws(PageArenaError) in
    unsafe try arena.deallocate(base + 1, pages: 1)
  }
  unsafe try? arena.deallocate(base, pages: 4)
  refused("twice") { () throws(PageArenaError) in unsafe try arena.deallocate(base, pages: 4) }
}

func owned(_ arena: PageArena) {
  quietly("runs") { () throws(PageArenaError) in
    var run = try arena.allocateRun(pages: 8, zeroed: true)
    _ = run.grow(to: 12)
    try run.resize(to: 700)
    run.shrink(to: 600)
    try run.prefault()
    try run.discard()
    let halves = run.split(at: 3)
    halves.upper.deallocate()
  }
  quietly("protected and guarded") { () throws(PageArenaError) in
    var run = try arena.allocateGuardedRun(pages: 4)
    run.wipeOnFree()
    try run.protect(.readOnly)
    try run.protect(.readWrite)
    try run.excludeFromCoreDumps()
  }
  quietly("inaccessible") { () throws(PageArenaError) in
    var run = try arena.allocateRun(pages: 64, access: .none)
    try run.protect(.readWrite)
    try run.protect(.none)
    try run.discard()
  }
  quietly("a handle") { () throws(PageArenaError) in
    var cache = try arena.makeCache()
    for pages in 1...70 {
      let run = unsafe try cache.allocate(pages: pages)
      unsafe try cache.deallocate(run, pages: pages)
    }
  }
}

func whole(_ arena: PageArena) {
  quietly("growth") { () throws(PageArenaError) in
    let run = unsafe try arena.allocate(pages: 20_000)
    let more = unsafe try arena.allocate(pages: 20_000)
    unsafe try arena.deallocate(run, pages: 20_000)
    unsafe try arena.deallocate(more, pages: 20_000)
  }
  quietly("scavenging") { () throws(PageArenaError) in
    _ = try arena.scavenge(byteCount: 1 << 20)
    _ = try arena.releaseFreeMemory()
  }
  quietly("limits") { () throws(PageArenaError) in
    try arena.setMemoryLimit(.bytes(soft: 64 << 20, hard: 512 << 20))
    _ = arena.memoryLimits
  }
  quietly("statistics") { () throws(PageArenaError) in
    let figures = arena.statistics
    if figures.inUseBytes > figures.readyBytes { throw .badMemoryLimit }
    _ = try arena.measureResident()
  }
}

let untoldWays = untold_ways()
if untoldWays != 0 { print("FAILED: \(untoldWays) ways to allocate are not watched") }
if untoldWays != 0 { unsafe Verdicts.failed += 1 } else { unsafe Verdicts.passed += 1 }
guard let arena = try? PageArena(memoryLimit: .bytes(hard: 512 << 20), diagnosis: .off),
  let first = unsafe try? arena.allocate(pages: 1)
else { fatalError("no arena") }
unsafe try? arena.deallocate(first, pages: 1)
raw(arena)
frames(arena)
owned(arena)
whole(arena)
if CommandLine.arguments.dropFirst().first == "breaks" {
  quietly("a call that allocates") { () throws(PageArenaError) in
    unsafe free(malloc(100))
    _ = arena.statistics.json
  }
}
unsafe print("\(Verdicts.passed) passed, \(Verdicts.failed) failed")
unsafe exit(Verdicts.failed == 0 ? 0 : 1)
