import SysMem

// What an arena is made of
// ========================
//
// All of it lies in the head of the tables, a struct for each guard, in this order:
//
//   ArenaFacts      what never changes; read by anybody
//   ArenaLocks      the locks, on a cache line of their own
//   Heap            what the heap lock guards
//   Growth          what the growth lock guards
//   ScavengeSteps   what belongs to whoever performs the scavenger's steps
//   ScavengerLink   what the scavenger's thread keeps of the arena
//   CacheTally      what all caches hold, counted by who may touch them
//
// They lie apart because a mutation of a field is, to Swift, an access to the whole struct: two
// threads that hold different locks must not change fields of the same struct.

/// The locks of an arena.
///
/// Order: `growth`, `release`, `heap`; Sources/README.md has that of all locks. `heap` alone guards
/// the allocation path, and no call to the kernel is made while it is held. `growth` and `release`
/// are turns: their holder is the one thread that grows the arena, or gives memory back, and makes
/// calls to the kernel meanwhile.
struct ArenaLocks: ~Copyable {
  let heap = FutexLock()
  let growth = FutexLock()
  let release = FutexLock()
  /// Whose turn it is to perform a step, where the library's thread does not; nobody waits for it.
  let steps = FutexLock()
}

/// Where the parts lie.
package enum ArenaHead {
  package static var locksOffset: Int { rounded(MemoryLayout<ArenaFacts>.size) }
  package static var heapOffset: Int { locksOffset + rounded(MemoryLayout<ArenaLocks>.size) }
  package static var growthOffset: Int { heapOffset + rounded(MemoryLayout<Heap>.size) }
  package static var stepsOffset: Int { growthOffset + rounded(MemoryLayout<Growth>.size) }
  package static var linkOffset: Int { stepsOffset + rounded(MemoryLayout<ScavengeSteps>.size) }
  package static var tallyOffset: Int { linkOffset + rounded(MemoryLayout<ScavengerLink>.size) }
  /// Bytes of the whole head.
  package static var byteCount: Int { tallyOffset + CacheTally.byteCount }

  /// Rounds up to a cache line, which no two parts share.
  private static func rounded(_ byteCount: Int) -> Int { (byteCount + 63) & ~63 }
}

/// A part of the head, by where it lies.
struct ArenaPart<Part: ~Copyable> {
  let offset: Int

  private init(at offset: Int) { self.offset = offset }
}

extension ArenaPart<ArenaLocks> {
  static var locks: ArenaPart { ArenaPart(at: ArenaHead.locksOffset) }
}
extension ArenaPart<Heap> {
  static var heap: ArenaPart { ArenaPart(at: ArenaHead.heapOffset) }
}
extension ArenaPart<Growth> {
  static var growth: ArenaPart { ArenaPart(at: ArenaHead.growthOffset) }
}
extension ArenaPart<ScavengeSteps> {
  static var steps: ArenaPart { ArenaPart(at: ArenaHead.stepsOffset) }
}
extension ArenaPart<ScavengerLink> {
  static var link: ArenaPart { ArenaPart(at: ArenaHead.linkOffset) }
}
