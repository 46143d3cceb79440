import PageAlloc
import SysMem

// A storm of operations, beside a model too simple to be wrong: one number a page, which says whose
// it is. Where pages lie is the arena's business; that they are nobody else's, keep their contents,
// and that every mistake is named, is checked at each step.

/// Random operations on an arena and on a model of it.
///
/// The numbers may come from a generator or from a fuzzer: any numbers make a legal storm.
package struct Storm<Source: RandomNumberGenerator>: ~Copyable {
  var source: Source
  let arena: PageArena
  /// Whose a page is: 0 nobody's, else what was counted when it was taken.
  var owners: [UInt32]
  var inUse = 0
  var nextOwner: UInt32 = 1
  var raw: [(run: Run, owner: UInt32)] = []
  var owned = RunList(capacity: 64)
  var ownedIds: [UInt32] = []
  /// The address of the arena's lowest page that was seen, on a 64-bit host; else 0.
  let origin: UInt

  /// A storm on an arena of its own, of 64 MiB.
  ///
  /// - Returns: `nil` where the system has no room.
  package init?(
    source: consuming Source, calls: any MemoryCalls = LinuxCalls(),
    scavenging: PageArena.Scavenging = .background(),
    diagnosis: PageArena.Diagnosis = .off
  ) {
    var options = PageArena.Options(calls: calls)
    options.scavenging = scavenging
    options.reservedByteCount = 64 << 20
    options.diagnosis = diagnosis
    options.reportsMistakes = false
    guard let arena = try? PageArena(options), let probe = try? arena.run(1) else { return nil }
    _ = arena.errorOfGiving(probe)
    self.source = source
    self.arena = arena
    // Chunks may lie on both sides of the first that was used.
    origin = probe.address &- (64 << 20)
    owners = [UInt32](repeating: 0, count: 2 * (64 << 20) / PageArena.pageSize + 1)
    raw.reserveCapacity(64)
    ownedIds.reserveCapacity(64)
  }

  /// One operation.
  package mutating func step(_ recorder: inout Recorder) {
    switch source.next() % 16 {
    case 0...3: takeRaw(&recorder)
    case 4...5: giveRaw(&recorder)
    case 6: giveBadly(&recorder)
    case 7...9: takeOwned(&recorder)
    case 10...11: drop(&recorder)
    case 12: split(&recorder)
    case 13: resize(&recorder)
    case 14: change(&recorder)
    default: housekeep(&recorder)
    }
  }

  /// Gives everything back, and looks whether all is in order.
  package mutating func finish(_ recorder: inout Recorder) {
    while !raw.isEmpty { giveRaw(&recorder) }
    while owned.count > 0 { drop(&recorder) }
    recorder.expectEqual(inUse, 0, "pages in the model at the end")
    look(&recorder)
    let broken = arena.brokenInvariant()
    recorder.expect(broken == nil, broken?.description ?? "")
  }
}

// MARK: - Operations

extension Storm {
  mutating func below(_ bound: Int) -> Int {
    Int(truncatingIfNeeded: source.next() % UInt64(bound))
  }

  /// Mostly few pages, at times more than a chunk.
  mutating func size() -> Int { 1 + below(1 << below(below(16) == 0 ? 11 : 6)) }

  mutating func takeRaw(_ recorder: inout Recorder) {
    if raw.count == 64 { return giveRaw(&recorder) }
    let pages = size()
    let zeroed = below(4) == 0
    let alignment = below(8) == 0 ? 1 << (13 + below(6)) : 1
    do throws(PageArenaError) {
      let run = try arena.run(pages, alignment: alignment, zeroed: zeroed)
      recorder.expect(run.address & UInt(alignment - 1) == 0, "alignment")
      if zeroed { recorder.expect(run.isZero, "zero") }
      let owner = claim(run.address, pages, &recorder)
      run.stamp(UInt64(owner) << 20)
      raw.append((run, owner))
    } catch { accept(error, pages, alignment, &recorder) }
  }

  /// Frees a raw run, or a part of it.
  mutating func giveRaw(_ recorder: inout Recorder) {
    if raw.isEmpty { return }
    let index = below(raw.count)
    let (run, owner) = raw[index]
    recorder.expect(
      isOwned(run.address, run.pages, by: owner), "the model knows the run's owner")
    recorder.expect(run.isStamped(UInt64(owner) << 20), "contents")
    if run.pages > 2, below(3) == 0 {
      // The tail goes, the head stays.
      let head = 1 + below(run.pages - 1)
      arena.give(run.part(head, run.pages - head), &recorder)
      release(run.part(head, 0).address, run.pages - head)
      raw[index] = (run.part(0, head), owner)
      return
    }
    arena.give(run, &recorder)
    release(run.address, run.pages)
    raw[index] = raw[raw.count - 1]
    raw.removeLast()
  }

  /// Frees what must not be freed: the arena says why, and nothing changes.
  mutating func giveBadly(_ recorder: inout Recorder) {
    if raw.isEmpty { return }
    let (run, owner) = raw[below(raw.count)]
    let bad: Run
    switch below(4) {
    case 0: bad = run.misaligned(by: 1 + below(8191))
    case 1: bad = run.part(0, -below(3))
    case 2: bad = run.part(0, run.pages + 1 + below(4))
    default: bad = run.part(below(run.pages), run.pages + 1)
    }
    recorder.expect(arena.errorOfGiving(bad) != nil, "a bad free was taken")
    recorder.expect(run.isStamped(UInt64(owner) << 20), "contents after a bad free")
    look(&recorder)
  }

  mutating func takeOwned(_ recorder: inout Recorder) {
    if owned.isFull { return drop(&recorder) }
    let pages = size()
    let guarded = below(8) == 0
    let zeroed = below(4) == 0
    do throws(PageArenaError) {
      var run =
        guarded
        ? try arena.allocateGuardedRun(pages: pages, zeroed: zeroed)
        : try arena.allocateRun(pages: pages, zeroed: zeroed)
      if zeroed { recorder.expect(run.isZero(), "zero") }
      let owner = claim(run.address, pages, &recorder)
      run.stamp(UInt64(owner) << 20)
      if below(16) == 0 { run.wipeOnFree() }
      owned.append(run)
      ownedIds.append(owner)
    } catch { accept(error, pages + (guarded ? 2 : 0), 1, &recorder) }
  }

  mutating func drop(_ recorder: inout Recorder) {
    guard let picked = pick(&recorder) else { return }
    release(picked.run.address, picked.run.pages)
    picked.run.deallocate()
  }

  mutating func split(_ recorder: inout Recorder) {
    if owned.isFull { return }
    guard let picked = pick(&recorder) else { return }
    if picked.run.pages < 2 { return put(picked.run, picked.owner) }
    let at = 1 + below(picked.run.pages - 1)
    let halves = picked.run.split(at: at)
    var lower = halves.lower
    var upper = halves.upper
    release(lower.address, lower.pages + upper.pages)
    restamp(&lower, &recorder)
    restamp(&upper, &recorder)
    put(lower, owners[page(lower.address)])
    put(upper, owners[page(upper.address)])
  }

  mutating func resize(_ recorder: inout Recorder) {
    guard var picked = pick(&recorder) else { return }
    let (old, address) = (picked.run.pages, picked.run.address)
    let pages = size()
    do throws(PageArenaError) {
      let moves = try picked.run.resize(to: pages, zeroed: true)
      recorder.expect(moves == (picked.run.address != address), "it says whether it moved")
      recorder.expectEqual(picked.run.pages, pages, "pages")
      recorder.expect(
        picked.run.isStamped(UInt64(picked.owner) << 20, pages: min(old, pages)), "contents")
      if pages > old { recorder.expect(picked.run.isZero(from: old), "zero") }
      release(address, old)
      restamp(&picked.run, &recorder)
      picked.owner = owners[page(picked.run.address)]
    } catch {
      recorder.expect(picked.run.pages == old && picked.run.address == address, "as before")
      if error != .notPlain(base: address) { accept(error, pages, 1, &recorder) }
    }
    put(picked.run, picked.owner)
  }

  mutating func change(_ recorder: inout Recorder) {
    guard var picked = pick(&recorder) else { return }
    let action = below(5)
    do throws(PageArenaError) {
      switch action {
      case 0:
        try picked.run.protect(.readOnly)
        check(picked.run, picked.owner, &recorder)
        try picked.run.protect(.readWrite)
      case 1:
        try picked.run.discard()
        recorder.expect(picked.run.isZero(), "zero when discarded")
        picked.run.stamp(UInt64(picked.owner) << 20)
      case 2: try picked.run.prefault()
      case 3: try picked.run.excludeFromCoreDumps()
      default:
        let memory = unsafe try arena.bytes(at: picked.run.offset)
        recorder.expect(memory.count == picked.run.byteCount, "what the handle says")
      }
    } catch { recorder.fail("change \(action): \(error.description)") }
    check(picked.run, picked.owner, &recorder)
    put(picked.run, picked.owner)
  }

  mutating func housekeep(_ recorder: inout Recorder) {
    if below(8) == 0 {
      _ = try? arena.scavenge(byteCount: below(1 << 22))
    }
    look(&recorder)
  }
}
