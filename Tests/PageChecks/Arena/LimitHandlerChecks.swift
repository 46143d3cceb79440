import PageAlloc
import Synchronization

/// What a program is asked before a limit refuses a request.
package let limitHandlerChecks: [Check] = [
  Check("limit handler: what it gives back is enough, once; then a request is refused as ever") {
    recorder in
    guard let asked = AskedArena(&recorder, hardPages: 1000, runs: 2, of: 400) else { return }
    let arena = asked.arena
    let run = arena.take(500, &recorder)
    recorder.expectEqual(asked.calls, 1, "calls")
    recorder.expectEqual(asked.spare.askedPages.load(ordering: .relaxed), 500, "pages, as told")
    recorder.expectEqual(arena.statistics.returned.limitRefusals, 0, "refusals")
    // The other run would not be enough.
    guard case .limitReached(900, _, _)? = arena.errorOfTaking(900) else {
      return recorder.fail("900 pages: taken, or another error")
    }
    recorder.expectEqual(asked.calls, 2, "one call, although it is refused again")
    recorder.expectEqual(arena.statistics.returned.limitRefusals, 1, "refusals")
    recorder.expect(arena.errorOfTaking(900) != nil, "with nothing left to give back")
    recorder.expectEqual(asked.calls, 3, "calls")
    guard case .badPageCount? = arena.errorOfTaking(1 << 20) else { return recorder.fail("count") }
    recorder.expectEqual(asked.calls, 3, "what no limit refuses asks nobody")
    asked.set(nil, &recorder)
    recorder.expect(arena.errorOfTaking(900) != nil, "with no handler")
    recorder.expectEqual(asked.calls, 3, "calls")
    if let run { arena.give(run, &recorder) }
    asked.end(&recorder)
  },

  Check("limit handler: it may use the arena; what is refused to itself asks nobody") { recorder in
    guard let asked = AskedArena(&recorder, hardPages: 1000, of: 600) else { return }
    let (arena, spare) = (asked.arena, asked.spare)
    let faults = Counter()
    let handler = { @Sendable (pages: Int) -> Bool in
      if arena.errorOfTaking(700) == nil { faults.add() }
      guard let own = try? arena.run(10) else { return false }
      own.stamp(3)
      if !own.isStamped(3) || arena.errorOfGiving(own) != nil { faults.add() }
      return spare.giveBack(for: pages)
    }
    asked.set(handler, &recorder)
    recorder.expect(arena.errorOfTaking(900) == nil, "taken")
    recorder.expectEqual(asked.calls, 1, "calls")
    recorder.expectEqual(faults.count, 0, "faults inside")
    recorder.expectEqual(arena.statistics.returned.limitRefusals, 1, "refusals: its own")
    asked.end(&recorder)
  },

  Check("limit handler: whatever a limit can refuse asks") { recorder in
    guard let asked = AskedArena(&recorder, hardPages: 1000, runs: 12, of: 80) else { return }
    let arena = asked.arena
    var calls = 0
    func expectCall(_ name: StaticString) {
      recorder.expectEqual(asked.calls, calls + 1, "calls: \(name)")
      calls = asked.calls
    }
    do throws(PageArenaError) {
      // 40 pages are left, and each of these takes more than is left by then.
      let first = try arena.run(80)
      expectCall("a run")
      let second = try arena.run(80, zeroed: true)
      recorder.expect(second.isZero, "zeroed")
      expectCall("zeroed")
      let third = try arena.run(80, alignment: 1 << 16)
      expectCall("aligned")
      var owned = try arena.allocateRun(pages: 70)
      expectCall("owned")
      owned.stamp(7)
      let guarded = try arena.allocateGuardedRun(pages: 60)
      expectCall("guarded")
      var closed = try arena.allocateRun(pages: 150, access: .none)
      recorder.expectEqual(asked.calls, calls, "no access, no call")
      try closed.commit(in: 0..<70)
      expectCall("committed")
      try closed.protect(.readOnly, in: 70..<150)
      expectCall("opened")
      var region = try PageRegion(reserving: 64 << 20, countedIn: arena)
      try region.grow(to: 110 * 8192)
      expectCall("a region")
      let wall = try arena.run(1)
      try owned.resize(to: 120)
      expectCall("resized")
      recorder.expect(owned.isStamped(7, pages: 70), "what it holds")
      arena.give(wall, &recorder)
      guarded.deallocate()
      for run in [first, second, third] { arena.give(run, &recorder) }
    } catch { recorder.fail(error.description) }
    asked.end(&recorder)
  },

  Check("limit handler: a cache's handle asks, and so do pages at an address") { recorder in
    guard let asked = AskedArena(&recorder, hardPages: 1000, runs: 2, of: 400) else { return }
    let arena = asked.arena
    withCache(of: arena, &recorder) { cache, recorder throws(PageArenaError) in
      let run = try cache.run(300)
      recorder.expectEqual(asked.calls, 1, "calls")
      arena.give(run, &recorder)
      try arena.releaseFreeMemory()
      // All but ten pages are in use; of what follows the arena has some.
      guard let kept = arena.take(590, &recorder) else { return }
      let rest = kept.part(600, 20)
      recorder.expect(unsafe try arena.allocate(at: rest.pointer, pages: 20), "taken there")
      recorder.expectEqual(asked.calls, 2, "calls")
      arena.give(rest, &recorder)
      arena.give(kept, &recorder)
    }
    asked.end(&recorder)
  },

  Check("limit handler: frames of a slab may be freed by it, for another frame of the slab") {
    recorder in
    guard let asked = AskedArena(&recorder, hardPages: 100, runs: 0, of: 1),
      let slab = makeSlab(4096, in: asked.arena, &recorder)
    else { return }
    let frames = SpareFrames(slab)
    asked.set({ _ in frames.giveBack() }, &recorder)
    // There is room for 192 of them.
    var refused = 0
    for _ in 0..<256 where !frames.take() { refused += 1 }
    recorder.expectEqual(refused, 0, "refused")
    recorder.expectEqual(frames.calls.count, 64, "calls")
    frames.end()
    asked.end(&recorder)
  },

  Check("limit handler: many threads are asked at once, and take from each other") { recorder in
    guard let asked = AskedArena(&recorder, hardPages: 1000, runs: 9, of: 100) else { return }
    let (arena, spare) = (asked.arena, asked.spare)
    let threads = (0..<4).map { _ in Counter() }
    runThreads(threads) { counter in
      for _ in 0..<500 {
        // As a cache: what was taken may be asked for.
        if let run = try? arena.run(100) { spare.keep(run) } else { counter.add() }
      }
    }
    let refused = threads.reduce(0) { $0 + $1.count }
    // What one gives back another may take, and need not ask for it.
    recorder.expect(refused < 1500, "\(refused) of 2000 refused")
    recorder.expect(asked.calls + refused >= 1999, "\(asked.calls) calls, \(refused) refused")
    recorder.expectEqual(
      arena.statistics.returned.limitRefusals, UInt64(refused), "refusals, as counted")
    asked.end(&recorder)
  },

  Check("limit handler: a control group's limit asks, too") { recorder in
    var options = PageArena.Options(scavenging: .manual, memoryLimit: .cgroup(fraction: 0.5))
    options.files = FakeFiles([
      ("/proc/self/cgroup", "0::/a\n"), ("/sys/fs/cgroup/a/memory.max", "67108864\n"),
      ("/sys/fs/cgroup/a/memory.current", "0\n"),
    ])
    guard let arena = makeArena(&recorder, options), let run = arena.take(4000, &recorder) else {
      return
    }
    let spare = SpareRuns { arena.errorOfGiving($0) == nil }
    spare.keep(run)
    recorder.expect(arena.errorOfTaking(6000) != nil, "with no handler")
    try? arena.setLimitHandler { spare.giveBack(for: $0) }
    recorder.expect(arena.errorOfTaking(6000) == nil, "taken")
    recorder.expectEqual(spare.calls.load(ordering: .relaxed), 1, "calls")
    try? arena.setLimitHandler(nil)
  },

  Check("limit handler: another is set while threads are in the former one") { recorder in
    guard let asked = AskedArena(&recorder, hardPages: 1000, of: 500) else { return }
    let (arena, spare) = (asked.arena, asked.spare)
    let gate = Gate()
    asked.set({ _ in gate.pass() }, &recorder)
    let asker = Counter()
    var wasInside = false
    runThreads(
      [asker],
      meanwhile: {
        wasInside = wait(5) { gate.isInside.load(ordering: .sequentiallyConsistent) }
        // Not waiting, the next request has the new one at once.
        try? arena.setLimitHandler { spare.giveBack(for: $0) }
        if let run = try? arena.run(600) { spare.keep(run) }
        gate.isOpen.store(true, ordering: .sequentiallyConsistent)
      }
    ) { asker in if (try? arena.run(900)) != nil { asker.add() } }
    recorder.expect(wasInside, "a thread is in the handler")
    recorder.expectEqual(asker.count, 0, "the former one gave nothing back")
    recorder.expectEqual(asked.calls, 1, "calls of the new one")
    asked.end(&recorder)
  },

  Check("limit handler: who replaces it waits for those who are in it, but not for itself") {
    recorder in
    guard let asked = AskedArena(&recorder, hardPages: 1000, of: 500) else { return }
    let arena = asked.arena
    let gate = Gate()
    // The first who is asked stays.
    let askers = Counter()
    let staying = { @Sendable (_: Int) -> Bool in
      askers.add()
      return askers.count == 1 && gate.pass()
    }
    asked.set(staying, &recorder)
    let threads = [Counter(), Counter()]
    let asker = threads[0]
    var facts = (false, false, false)
    runThreads(
      threads,
      meanwhile: {
        facts.0 = wait(5) { gate.isInside.load(ordering: .sequentiallyConsistent) }
        // Once the other waits to replace it, what is refused asks nobody.
        facts.1 = wait(5) {
          let before = askers.count
          return arena.errorOfTaking(900) != nil && askers.count == before
        }
        gate.isOpen.store(true, ordering: .sequentiallyConsistent)
        facts.2 = wait(5) { threads[1].count == 1 }
      }
    ) { thread in
      if thread === asker {
        _ = arena.errorOfTaking(900)
      } else {
        _ = wait(5) { gate.isInside.load(ordering: .sequentiallyConsistent) }
        try? arena.replaceLimitHandler(nil)
        if !gate.isInside.load(ordering: .sequentiallyConsistent) { thread.add() }
      }
    }
    recorder.expect(facts.0, "a thread is in the handler")
    recorder.expect(facts.1, "refused at once, with one who waits")
    recorder.expect(facts.2, "replaced when nobody was inside")
    let handler = { @Sendable (_: Int) -> Bool in
      (try? arena.replaceLimitHandler(nil)) != nil
    }
    asked.set(handler, &recorder)
    recorder.expect(arena.errorOfTaking(900) != nil, "replaced by itself")
    asked.end(&recorder)
  },

  Check("limit handler: what it holds goes with the arena's last reference") { recorder in
    let ends = Counter()
    var arena = makeArena(&recorder, limit: .bytes(hard: 100 * 8192))
    guard let run = arena?.own(10, &recorder) else { return }
    for round in 1...2 {
      let held = Ended(ends)
      _ = try? arena?.setLimitHandler { _ in held.isThere }
      recorder.expectEqual(ends.count, round - 1, "ends of those that were replaced")
    }
    arena = nil
    recorder.expectEqual(ends.count, 2, "ends, with an owner alive")
    run.deallocate()
  },
]
