import CSysMem
import PageAlloc
import Synchronization

extension PageArena {
  /// Takes so many units of a huge page, and writes to them.
  func ownUnits(_ count: Int) throws(PageArenaError) -> PageRun {
    var run = try allocateRun(pages: 256 * count, alignment: 2 << 20)
    run.stamp(1)
    return run
  }
}

/// Whether a part is in a text. `==` on strings needs the tables of Unicode.
func contains(_ text: String, _ part: String) -> Bool {
  let bytes = Array(text.utf8)
  let wanted = Array(part.utf8)
  guard bytes.count >= wanted.count else { return false }
  for start in 0...(bytes.count - wanted.count)
  where bytes[start..<(start + wanted.count)].elementsEqual(wanted) {
    return true
  }
  return false
}

/// Expects that figures add up.
func expectSums(of statistics: PageArena.Statistics, _ recorder: inout Recorder) {
  recorder.expectEqual(
    statistics.inUseBytes + statistics.freeMaybeResidentBytes + statistics.scavengedBytes,
    statistics.readyBytes, "the sum of what is committed")
  recorder.expect(
    statistics.cachedBytes + statistics.keptLongBytes + statistics.quarantinedBytes
      <= statistics.freeMaybeResidentBytes, "what is at hand is free")
}

/// A handle that nobody uses.
final class IdleCache {
  private let cache: PageArena.Cache

  init?(_ arena: PageArena) {
    guard let cache = try? arena.makeCache() else { return nil }
    self.cache = cache
  }
}

/// Pages that one thread allocates and another one frees, one at a time.
final class Handover: Sendable {
  let arena: PageArena
  let comers = Atomic<Int>(0)
  let faults = Atomic<Int>(0)
  /// The address of a page on its way; 0 for none.
  private let slot = Atomic<UInt>(0)
  let stage = Atomic<Stage>(.isEmpty)
  /// Pages still to be allocated.
  private let left = Atomic<Int>(20_000)

  init(_ arena: PageArena) { self.arena = arena }

  /// How far the two are: the one that frees has a cache, the other may have one, all is done.
  enum Stage: UInt8, AtomicRepresentable, Comparable {
    case isEmpty, isFreeing, isOpen, isDone

    static func < (a: Stage, b: Stage) -> Bool { a.rawValue < b.rawValue }
  }

  var isUnderWay: Bool { stage.load(ordering: .relaxed) < .isDone }

  func waitFor(_ wanted: Stage) {
    while stage.load(ordering: .acquiring) < wanted { csm_yield() }
  }

  func stop() { left.store(0, ordering: .relaxed) }

  func allocate() {
    waitFor(.isOpen)
    while left.load(ordering: .relaxed) > 0 {
      left.subtract(1, ordering: .relaxed)
      guard let run = try? arena.run(1) else {
        faults.add(1, ordering: .relaxed)
        break
      }
      while slot.load(ordering: .relaxed) != 0 { csm_yield() }
      slot.store(run.address, ordering: .releasing)
    }
    while slot.load(ordering: .relaxed) != 0 { csm_yield() }
    stage.store(.isDone, ordering: .relaxed)
  }

  func free() {
    guard let run = try? arena.run(1), arena.errorOfGiving(run) == nil else {
      faults.add(1, ordering: .relaxed)
      return stage.store(.isDone, ordering: .relaxed)
    }
    stage.store(.isFreeing, ordering: .releasing)
    while isUnderWay {
      let address = slot.exchange(0, ordering: .acquiring)
      // A run of one page, and this thread's now.
      guard let pointer = unsafe UnsafeMutableRawPointer(bitPattern: address) else {
        csm_yield()
        continue
      }
      let error = arena.errorOfGiving(unsafe Run(pointer, pages: 1))
      if error != nil { faults.add(1, ordering: .relaxed) }
    }
  }
}
