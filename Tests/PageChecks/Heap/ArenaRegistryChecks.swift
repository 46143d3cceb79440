import PageAlloc
import SysMem

/// The places of arenas. Other arenas may come and go meanwhile, but not while the lock is held.
package let arenaRegistryChecks: [Check] = [
  Check("registry: places are distinct, and the one that was left last is used first") {
    recorder in
    ArenaRegistry.withLock {
      recorder.expectNoError("places") { recorder throws(SysMemError) in
        var places: [Int] = []
        for _ in 0..<20 { places.append(try ArenaRegistry.reservePlace()) }
        for place in places {
          recorder.expect(place >= 0 && place < ArenaRegistry.capacity, "place \(place)")
          recorder.expectEqual(places.count { $0 == place }, 1, "who has place \(place)")
          recorder.expect(!PageArena.isRegistered(place, 0), "nobody's arena is at \(place)")
        }
        for place in places { ArenaRegistry.releasePlace(place) }
        for place in places.reversed() {
          recorder.expectEqual(try ArenaRegistry.reservePlace(), place, "the one left last")
        }
        for place in places.reversed() { ArenaRegistry.releasePlace(place) }
      }
    }
  },

  Check("registry: an arena is found by place and number, as long as it lives") { recorder in
    guard var first = makeArena(&recorder) as PageArena? else { return }
    guard let second = makeArena(&recorder) else { return }
    let (old, other) = (first.registration, second.registration)
    recorder.expect(old.place != other.place, "places")
    recorder.expect(old.number < other.number, "numbers: \(old.number), \(other.number)")
    func isThere(_ arena: (place: Int, number: UInt)) -> Bool {
      ArenaRegistry.withLock { PageArena.isRegistered(arena.place, arena.number) }
    }
    recorder.expect(isThere(old) && isThere(other), "both are there")
    recorder.expect(!isThere((old.place, other.number)), "not by the other's number")
    recorder.expect(!isThere((ArenaRegistry.capacity - 1, old.number)), "not where nobody was")
    guard let third = makeArena(&recorder) else { return }
    first = third
    recorder.expect(!isThere(old), "it has gone")
    recorder.expect(isThere(other) && isThere(first.registration), "the others are there")
    // Perhaps in the same place.
    guard let fourth = makeArena(&recorder) else { return }
    recorder.expect(!isThere(old), "a number is never used twice")
    recorder.expect(fourth.registration.number > first.registration.number, "numbers go up")
    recorder.expect(isThere(fourth.registration), "the last is there")
  },

  Check("arena head: its parts lie apart, each from a cache line on") { recorder in
    let offsets = [
      0, ArenaHead.locksOffset, ArenaHead.heapOffset, ArenaHead.growthOffset,
      ArenaHead.stepsOffset, ArenaHead.linkOffset, ArenaHead.byteCount,
    ]
    for (low, high) in zip(offsets, offsets.dropFirst()) {
      recorder.expect(low < high, "\(low) before \(high)")
      recorder.expectEqual(high % 64, 0, "\(high) in its cache line")
    }
    recorder.expect(
      ArenaHead.growthOffset - ArenaHead.heapOffset >= MemoryLayout<Heap>.size, "room for the heap")
    recorder.expect(
      ArenaHead.linkOffset - ArenaHead.stepsOffset >= MemoryLayout<ScavengeSteps>.size,
      "room for the steps")
  },
]
