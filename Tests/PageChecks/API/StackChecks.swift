import CSysMem
import CTestSystem
import PageAlloc

/// How much of a stack the public calls need: threads with small stacks call them, too.
///
/// The bound is that of code built for release. Each call runs on a thread of its own, which so
/// takes the long way: it has no cache yet.
let stackChecks: [Check] = [
  Check("stacks: every public call needs at most 16 KiB") { recorder in
    #if DEBUG || !arch(x86_64)
      recorder.leaveOut("a debug build, or not x86_64")
    #else
      var deepest = 0
      let calls = stackCalls
      recorder.expect(!calls.isEmpty, "arenas to call")
      for call in calls {
        guard let depth = stackDepth(call.body) else {
          recorder.fail("no thread for \(call.name.description)")
          return
        }
        recorder.tell("\(call.name.description): \(depth) bytes")
        recorder.expect(
          depth <= stackBound, "\(call.name.description) needs \(depth) bytes of stack")
        deepest = max(deepest, depth)
      }
      recorder.tell("the deepest: \(deepest) bytes")
    #endif
  }
]

/// Bytes: the least that a thread can be made with.
private let stackBound = 16 << 10

/// What is called, and how.
private struct StackCall: Sendable {
  let name: StaticString
  let body: @Sendable () -> Void

  init(
    _ name: StaticString, _ body: @escaping @Sendable () -> Void
  ) {
    self.name = name
    self.body = body
  }

  /// With a pool that others made.
  init(
    _ name: StaticString, in pool: PagePool,
    _ body: @escaping @Sendable (PagePool) throws(PageArenaError) -> Void
  ) {
    self.init(name) {
      do throws(PageArenaError) { try body(pool) } catch {}
    }
  }

  /// With an arena that others made.
  init(
    _ name: StaticString, in arena: PageArena,
    _ body: @escaping @Sendable (PageArena) throws(PageArenaError) -> Void
  ) {
    self.init(name) { call(arena, body) }
  }
}

/// An error is as good as a success: it has taken the same way up to a point.
@inline(never)
private func call(
  _ arena: PageArena?, _ body: (PageArena) throws(PageArenaError) -> Void
) {
  guard let arena else { return }
  do throws(PageArenaError) { try body(arena) } catch {}
}

private func made(
  scavenging: PageArena.Scavenging = .manual, limit: PageArena.MemoryLimit = .none,
  diagnosis: PageArena.Diagnosis = .off
) -> PageArena? {
  try? PageArena(
    reserving: 1 << 27, scavenging: scavenging, memoryLimit: limit, diagnosis: diagnosis)
}

private var stackCalls: [StackCall] {
  guard let plain = made(), let watching = made(limit: .cgroup(fraction: 0.5)),
    let checked = made(diagnosis: .checked())
  else { return [] }
  return arenaStackCalls(plain) + watchingStackCalls(watching) + runStackCalls(plain)
    + checkedStackCalls(checked) + poolStackCalls
}

private func arenaStackCalls(_ arena: PageArena) -> [StackCall] {
  [
    StackCall("an arena's beginning and end") { _ = made() },
    StackCall("the same, scavenged") {
      _ = made(scavenging: .background())
    },
    StackCall("the same, watching its group") {
      _ = made(limit: .cgroup(fraction: 0.5))
    },
    StackCall("the same, checked") { _ = made(diagnosis: .checked()) },
    StackCall("allocate", in: arena) { arena throws(PageArenaError) in
      for pages in [1, 3, 100, 200] {
        let base = unsafe try arena.allocate(pages: pages)
        unsafe try arena.deallocate(base, pages: pages)
        let again = unsafe try arena.allocate(pages: pages)
        unsafe try arena.deallocate(again, pages: pages)
      }
    },
    StackCall("allocate, which grows", in: arena) { arena throws(PageArenaError) in
      let base = unsafe try arena.allocate(pages: 4000)
      unsafe try arena.deallocate(base, pages: 4000)
      _ = unsafe try arena.allocate(pages: 1 << 18)
    },
    StackCall("allocate, aligned and zeroed", in: arena) { arena throws(PageArenaError) in
      let base = unsafe try arena.allocate(pages: 600, alignment: 1 << 20, zeroed: true)
      unsafe try arena.deallocate(base, pages: 600)
      let small = unsafe try arena.allocate(pages: 2, alignment: 1 << 15, zeroed: true)
      unsafe try arena.deallocate(small + PageArena.pageSize, pages: 1)
      unsafe try arena.deallocate(small, pages: 1)
    },
    StackCall("deallocate, many", in: arena) { arena throws(PageArenaError) in
      let base = unsafe try arena.allocate(pages: 2000)
      for page in 0..<2000 {
        unsafe try arena.deallocate(base + page * PageArena.pageSize, pages: 1)
      }
    },
    StackCall("deallocate, refused", in: arena) { arena throws(PageArenaError) in
      let base = unsafe try arena.allocate(pages: 2)
      unsafe try arena.deallocate(base, pages: 2)
      unsafe try arena.deallocate(base, pages: 2)
    },
    StackCall("makeCache", in: arena) { arena throws(PageArenaError) in
      var cache = try arena.makeCache()
      let base = unsafe try cache.allocate(pages: 2)
      unsafe try cache.deallocate(base, pages: 2)
      let aligned = unsafe try cache.allocate(pages: 2, alignment: 1 << 15)
      unsafe try cache.deallocate(aligned, pages: 2)
    },
    StackCall("adopt, bytes(at:)", in: arena) { arena throws(PageArenaError) in
      let base = unsafe try arena.allocate(pages: 2)
      let run = unsafe try arena.adopt(base, pages: 2)
      _ = unsafe try arena.bytes(at: run.offset)
    },
    StackCall("scavenge", in: arena) { arena throws(PageArenaError) in
      _ = try arena.scavenge(byteCount: 1 << 20)
    },
    StackCall("releaseFreeMemory", in: arena) { arena throws(PageArenaError) in
      _ = try arena.releaseFreeMemory()
    },
    StackCall("releaseFreeMemoryLazily", in: arena) { arena throws(PageArenaError) in
      _ = try arena.releaseFreeMemoryLazily()
    },
    StackCall("statistics", in: arena) { arena in _ = arena.statistics },
    StackCall("statistics.description", in: arena) { arena in
      _ = arena.statistics.description
    },
    StackCall("statistics.json", in: arena) { arena in _ = arena.statistics.json },
    StackCall("measureResident", in: arena) { arena throws(PageArenaError) in
      _ = try arena.measureResident()
    },
    StackCall("hugePageBytes", in: arena) { arena in _ = arena.hugePageBytes() },
    StackCall("collapse", in: arena) { arena throws(PageArenaError) in
      _ = try arena.collapse()
    },
    StackCall("prepareForFork", in: arena) { arena in
      arena.prepareForFork()
      arena.resumeInParentAfterFork()
    },
    StackCall("fork", in: arena) { _ in
      let child = ctest_fork()
      if child.error == 0, child.value == 0 { ctest_exit_now(0) }
      if child.error == 0 { _ = ctest_wait(child.value) }
    },
  ]
}

private func watchingStackCalls(_ arena: PageArena) -> [StackCall] {
  [
    StackCall("setMemoryLimit(.bytes)", in: arena) {
      arena throws(PageArenaError) in
      let base = unsafe try arena.allocate(pages: 2000)
      unsafe try arena.deallocate(base, pages: 2000)
      try arena.setMemoryLimit(.bytes(soft: 1 << 20, hard: 1 << 24))
      _ = unsafe try arena.allocate(pages: 4000)
    },
    StackCall("setMemoryLimit(.cgroup)", in: arena) {
      arena throws(PageArenaError) in
      try arena.setMemoryLimit(.cgroup(fraction: 0.5))
    },
    StackCall("memoryLimits", in: arena) { arena in _ = arena.memoryLimits },
    StackCall("allocate, watching a group", in: arena) {
      arena throws(PageArenaError) in
      for _ in 0..<8 { _ = unsafe try arena.allocate(pages: 1000, zeroed: true) }
    },
  ]
}

private func runStackCalls(_ arena: PageArena) -> [StackCall] {
  [
    StackCall("allocateRun", in: arena) { arena throws(PageArenaError) in
      var run = try arena.allocateRun(pages: 2)
      unsafe run.withUnsafeMutableBytes { unsafe $0[0] = 1 }
      let other = try arena.allocateRun(pages: 200, alignment: 1 << 15, zeroed: true)
      other.deallocate()
    },
    StackCall("PageRun.resize, grow, shrink", in: arena) { arena throws(PageArenaError) in
      var run = try arena.allocateRun(pages: 2)
      let wall = try arena.allocateRun(pages: 2)
      try run.resize(to: 50, zeroed: true)
      _ = run.grow(to: 60)
      run.shrink(to: 20)
      try run.resize(to: 900)
      wall.deallocate()
    },
    StackCall("PageRun.split, leak", in: arena) { arena throws(PageArenaError) in
      let run = try arena.allocateRun(pages: 4)
      let halves = run.split(at: 1)
      _ = unsafe try halves.lower.leak()
    },
    StackCall("PageRun.protect", in: arena) { arena throws(PageArenaError) in
      var run = try arena.allocateRun(pages: 2)
      try run.protect(.readOnly)
      try run.protect(.readWrite)
      run.wipeOnFree()
    },
    StackCall("PageRun.lock", in: arena) { arena throws(PageArenaError) in
      var run = try arena.allocateRun(pages: 2)
      try run.lock()
    },
    StackCall("PageRun.discard, prefault, excludeFromCoreDumps", in: arena) {
      arena throws(PageArenaError) in
      var run = try arena.allocateRun(pages: 2)
      try run.prefault()
      try run.discard()
      try run.excludeFromCoreDumps()
    },
    StackCall("PageRun.decommit, commit", in: arena) { arena throws(PageArenaError) in
      var run = try arena.allocateRun(pages: 64)
      try run.decommit(in: 8..<56)
      try run.commit(in: 16..<32)
      try run.protect(.readOnly, in: 8..<20)
    },
    StackCall("allocateGuardedRun", in: arena) { arena throws(PageArenaError) in
      var run = try arena.allocateGuardedRun(pages: 2)
      try run.resize(to: 4)
    },
  ]
}

private func checkedStackCalls(_ arena: PageArena) -> [StackCall] {
  [
    StackCall("allocate, checked", in: arena) { arena throws(PageArenaError) in
      let base = unsafe try arena.allocate(pages: 2)
      unsafe try arena.deallocate(base, pages: 2)
    },
    StackCall("diagnose", in: arena) { arena throws(PageArenaError) in
      let base = unsafe try arena.allocate(pages: 2)
      _ = arena.diagnose(UInt(bitPattern: base))
      unsafe try arena.deallocate(base, pages: 2)
    },
    StackCall("leaks", in: arena) { arena in _ = arena.leaks },
  ]
}

private var poolStackCalls: [StackCall] {
  guard let pool = try? PagePool(reserving: 1 << 32) else { return [] }
  return [
    StackCall("PagePool.allocate, deallocate", in: pool) { pool throws(PageArenaError) in
      let base = unsafe try pool.allocate(pages: 3)
      unsafe try pool.deallocate(base)
      _ = try unsafe pool.allocate(at: base, pages: 2)
    },
    StackCall("PagePool.resize", in: pool) { pool throws(PageArenaError) in
      let base = unsafe try pool.allocate(pages: 3)
      let wall = unsafe try pool.allocate(pages: 1)
      let moved = unsafe try pool.resize(base, to: 900, zeroed: true)
      unsafe try pool.deallocateDiscarding(moved, pages: 900)
      unsafe try pool.deallocate(wall)
    },
    StackCall("PagePool.discard, discardLazily", in: pool) { pool throws(PageArenaError) in
      var isZero = false
      let base = unsafe try pool.allocate(pages: 8, isZero: &isZero)
      unsafe try pool.discard(base, pages: 8)
      unsafe try pool.discardLazily(base, pages: 8)
    },
    StackCall("PagePool.releaseFreeMemory, releaseFreeMemoryLazily", in: pool) {
      pool throws(PageArenaError) in
      unsafe try pool.deallocate(try pool.allocate(pages: 3))
      _ = try pool.releaseFreeMemoryLazily()
      _ = try pool.releaseFreeMemory()
    },
    StackCall("PagePool.forEachRun, snapshots, leaks, diagnose", in: pool) { pool in
      pool.forEachRun { _ in }
      _ = pool.snapshots()
      _ = pool.leaks
      _ = pool.diagnose(1 << 13)
    },
  ]
}
