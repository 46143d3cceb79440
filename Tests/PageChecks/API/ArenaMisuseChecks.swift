import PageAlloc

/// Bad input is a typed error that names the argument, and changes nothing.
package let arenaMisuseChecks: [Check] = [
  Check("misuse: page counts") { recorder in
    guard let arena = makeArena(&recorder), let run = arena.take(2, &recorder) else { return }
    let before = arena.statistics
    let limit = 1022 * 512
    for pages in [0, -1, limit + 1, .max, .min] {
      recorder.expect(
        arena.errorOfTaking(pages) == .badPageCount(pages: pages, limit: limit),
        "allocate \(pages)")
      recorder.expect(
        arena.errorOfGiving(run.part(0, pages)) == .badPageCount(pages: pages, limit: limit),
        "deallocate \(pages)")
    }
    recorder.expect(arena.statistics == before, "nothing changed")
  },

  Check("misuse: no pages, where no run starts") { recorder in
    guard let arena = makeArena(&recorder), let run = arena.take(512, &recorder) else { return }
    let free = run.part(-1, 0)
    arena.give(run.part(0, 4), &recorder)
    withCache(of: arena, &recorder) { cache, recorder throws(PageArenaError) in
      let before = arena.statistics
      // A page inside of the run, one that was freed, and one below the arena's memory.
      for part in [run.part(5, 0), run.part(0, 0), free] {
        let expected = PageArenaError.badPageCount(pages: 0, limit: 1022 * 512)
        recorder.expect(arena.errorOfGiving(part) == expected, "by way of the thread's cache")
        recorder.expect(cache.errorOfGiving(part) == expected, "by way of the handle's cache")
      }
      recorder.expect(arena.statistics == before, "nothing changed")
    }
    recorder.expect(arena.brokenInvariant() == nil, "invariants")
  },

  Check("misuse: alignments") { recorder in
    guard let arena = makeArena(&recorder), arena.take(1, &recorder) != nil else { return }
    let before = arena.statistics
    for alignment in [0, -8192, 3, 12_288, 8193, .max, .min] {
      recorder.expect(
        arena.errorOfTaking(1, alignment: alignment) == .badAlignment(alignment: alignment),
        "alignment \(alignment)")
    }
    recorder.expect(arena.statistics == before, "nothing changed")
  },

  Check("misuse: addresses") { recorder in
    guard let arena = makeArena(&recorder), let other = makeArena(&recorder),
      let run = arena.take(4, &recorder), let foreign = other.take(4, &recorder)
    else { return }
    let before = arena.statistics
    let address = run.address
    for offset: UInt in [1, 8, 4096, 8191] {
      // Inside the run.
      let base = run.misaligned(by: Int(offset))
      recorder.expect(
        arena.errorOfGiving(base.part(0, 1)) == .misaligned(base: address + offset),
        "misaligned by \(offset)")
    }
    recorder.expect(
      arena.errorOfGiving(foreign.part(0, 4)) == .foreign(base: foreign.address),
      "another arena's run")
    let text: StaticString = "not a page"
    // Never written through: the arena only looks at the address.
    let literal = unsafe Run(UnsafeMutableRawPointer(mutating: text.utf8Start), pages: 1)
    switch arena.errorOfGiving(literal.part(0, 1)) {
    case .foreign, .misaligned, .notInUse: recorder.expect(true, "")
    default: recorder.fail("an address of the program was taken")
    }
    // Reserved by the arena, but not handed out: past what was grown.
    let beyond = run.part(512, 1)
    recorder.expect(
      arena.errorOfGiving(beyond.part(0, 1)) == .foreign(base: beyond.address),
      "past the grown chunks")
    recorder.expect(arena.statistics == before, "nothing changed")
  },

  Check("misuse: double free, also of parts") { recorder in
    guard let arena = makeArena(&recorder), let run = arena.take(10, &recorder) else { return }
    let address = run.address
    let page = PageArena.pageSize
    arena.give(run.part(4, 2), &recorder)
    let before = arena.statistics
    recorder.expect(
      arena.errorOfGiving(run.part(4, 2))
        == .notInUse(base: address + UInt(4 * page), pages: 2), "the same part again")
    recorder.expect(
      arena.errorOfGiving(run.part(0, 10)) == .pastEndOfRun(base: address, pages: 10),
      "the whole run after a part of it")
    recorder.expect(arena.statistics == before, "nothing changed")
    arena.give(run.part(0, 4), &recorder)
    arena.give(run.part(6, 4), &recorder)
    recorder.expect(
      arena.errorOfGiving(run.part(0, 4)) == .notInUse(base: address, pages: 4), "all again")
    recorder.expectEqual(arena.statistics.inUseBytes, 0, "in use at the end")
  },

  Check("misuse: more than was taken, into a neighbour") { recorder in
    guard let arena = makeArena(&recorder, caching: false), let a = arena.take(3, &recorder),
      let b = arena.take(510, &recorder), let c = arena.take(2, &recorder)
    else { return }
    let before = arena.statistics
    let page = PageArena.pageSize
    recorder.expect(
      arena.errorOfGiving(a.part(0, 4)) == .pastEndOfRun(base: a.address, pages: 4),
      "a and the start of b")
    recorder.expect(
      arena.errorOfGiving(b.part(1, 510))
        == .pastEndOfRun(base: b.address + UInt(page), pages: 510),
      "the end of b and the start of c, over the edge of a chunk")
    recorder.expect(
      arena.errorOfGiving(c.part(0, 3)) == .pastEndOfRun(base: c.address, pages: 3),
      "c and a free page")
    recorder.expect(arena.statistics == before, "nothing changed")
    // The rest of a run is a run of its own.
    arena.give(b.part(1, 1), &recorder)
    guard let d = arena.take(1, &recorder) else { return }
    recorder.expect(d == b.part(1, 1), "the hole is filled")
    recorder.expect(
      arena.errorOfGiving(d.part(0, 2)) == .pastEndOfRun(base: d.address, pages: 2),
      "the filler and the rest of b")
    recorder.expect(
      arena.errorOfGiving(b.part(0, 2)) == .pastEndOfRun(base: b.address, pages: 2),
      "the start of b and the filler")
    arena.give(b.part(0, 1), &recorder)
    arena.give(d.part(0, 1), &recorder)
    arena.give(b.part(2, 508), &recorder)
    arena.give(a.part(0, 3), &recorder)
    arena.give(c.part(0, 2), &recorder)
    recorder.expectEqual(arena.statistics.inUseBytes, 0, "in use at the end")
  },

  Check("misuse: a guard is nobody's to free, to own or to look up") { recorder in
    for isChecked in [false, true] {
      let made = isChecked ? makeCheckedArena(&recorder) : makeArena(&recorder)
      guard let arena = made, let run = arena.own(6, guarded: true, &recorder),
        let memory = unsafe try? arena.bytes(at: run.offset), let base = memory.baseAddress
      else { return }
      let before = arena.statistics
      let all = unsafe Run(base, pages: 6)
      for (part, offset) in [
        (all.part(-1, 1), run.offset - 8192), (all.part(6, 1), run.offset + 6 * 8192),
      ] {
        recorder.expect(
          arena.errorOfGiving(part) == .notInUse(base: part.address, pages: 1), "freed")
        recorder.throwsError(.notInUse(base: part.address, pages: 1)) { () throws(PageArenaError) in
          _ = unsafe try arena.adopt(part.pointer, pages: 1)
        }
        recorder.throwsError(.notARun(offset: offset)) { () throws(PageArenaError) in
          _ = unsafe try arena.bytes(at: offset)
        }
      }
      let last = all.part(5, 2)
      recorder.expect(
        arena.errorOfGiving(last) == .pastEndOfRun(base: last.address, pages: 2),
        "the last page with its guard")
      recorder.expect(arena.statistics == before, "nothing changed")
      recorder.expect(arena.brokenInvariant() == nil, "invariants")
      run.deallocate()
      recorder.expectEqual(arena.statistics.inUseBytes, 0, "bytes in use at the end")
    }
  },

  Check("misuse: reservations and scavenging") { recorder in
    for byteCount: UInt64 in [0, 1, (64 << 20) - 1, (1 << 32) + 1, .max] {
      do throws(PageArenaError) {
        _ = try PageArena(reserving: byteCount)
        recorder.fail("an arena of \(byteCount) bytes")
      } catch {
        recorder.expect(
          error == .badReservation(reservedByteCount: byteCount, minimum: 64 << 20),
          error.description)
      }
    }
    guard let arena = makeArena(&recorder) else { return }
    do throws(PageArenaError) {
      _ = try arena.scavenge(byteCount: -1)
      recorder.fail("scavenged a negative amount")
    } catch {
      recorder.expect(error == .badByteCount(byteCount: -1), error.description)
    }
  },
]
