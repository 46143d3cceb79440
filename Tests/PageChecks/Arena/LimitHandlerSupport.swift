import PageAlloc
import SysMem
import Synchronization

/// Runs that a program can do without, and how it was asked for them.
final class SpareRuns: Sendable {
  private let free: @Sendable (Run) -> Bool
  private let lock = FutexLock()
  // Guarded by the lock.
  nonisolated(unsafe) private var runs: [Run] = []
  let calls = Atomic<Int>(0)
  /// What the last request was about.
  let askedPages = Atomic<Int>(0)

  /// - Parameter free: frees one of them, and returns whether it did.
  init(_ free: @escaping @Sendable (Run) -> Bool) { self.free = free }

  func keep(_ run: Run) {
    lock.lock()
    defer { lock.unlock() }
    unsafe runs.append(run)
  }

  /// Frees one of them.
  ///
  /// - Returns: whether there was one.
  func giveBack(for pages: Int) -> Bool {
    calls.add(1, ordering: .relaxed)
    askedPages.store(pages, ordering: .relaxed)
    lock.lock()
    let run = unsafe runs.popLast()
    lock.unlock()
    return run.map(free) ?? false
  }
}

/// An arena with a limit, and with runs that its handler frees.
struct AskedArena {
  let arena: PageArena
  let spare: SpareRuns

  /// - Parameters:
  ///   - runs: how many the program can do without.
  ///   - pages: of each.
  init?(
    _ recorder: inout Recorder, hardPages: Int, runs: Int = 1, of pages: Int,
    caching: Bool = true
  ) {
    let limit = PageArena.MemoryLimit.bytes(hard: UInt64(hardPages) * 8192)
    guard let arena = makeArena(&recorder, caching: caching, limit: limit) else { return nil }
    self.arena = arena
    spare = SpareRuns { arena.errorOfGiving($0) == nil }
    for _ in 0..<runs {
      guard let run = arena.take(pages, &recorder) else { return nil }
      spare.keep(run)
    }
    set({ [spare] in spare.giveBack(for: $0) }, &recorder)
  }

  var calls: Int { spare.calls.load(ordering: .relaxed) }

  func set(_ handler: (@Sendable (Int) -> Bool)?, _ recorder: inout Recorder) {
    do throws(PageArenaError) {
      try arena.setLimitHandler(handler)
    } catch { recorder.fail(error.description) }
  }

  /// Lets go of the handler, which holds the arena in these checks.
  func end(_ recorder: inout Recorder) {
    set(nil, &recorder)
    recorder.expect(arena.brokenInvariant() == nil, "the invariants hold")
  }
}

/// Counts.
final class Counter: Sendable {
  private let value = Atomic<Int>(0)

  func add() { value.add(1, ordering: .sequentiallyConsistent) }

  var count: Int { value.load(ordering: .sequentiallyConsistent) }
}

/// Says when it ends.
final class Ended: Sendable {
  private let counter: Counter
  let isThere = true

  init(_ counter: Counter) { self.counter = counter }

  deinit { counter.add() }
}

/// Frames of one thread's, of which its handler frees the newest.
final class SpareFrames: Sendable {
  private let slab: PageSlab
  // One thread's.
  nonisolated(unsafe) private var frames: [Frame] = []
  let calls = Counter()

  init(_ slab: PageSlab) { self.slab = slab }

  /// Takes one more.
  ///
  /// - Returns: whether there was one.
  func take() -> Bool {
    guard let frame = try? slab.frame() else { return false }
    unsafe frames.append(frame)
    return true
  }

  func giveBack() -> Bool {
    calls.add()
    guard let frame = unsafe frames.popLast() else { return false }
    return slab.errorOfGiving(frame) == nil
  }

  /// Frees all of them.
  func end() { while unsafe !frames.isEmpty { _ = giveBack() } }
}

/// Waits in a handler until it is told to go on.
final class Gate: Sendable {
  let isInside = Atomic<Bool>(false)
  let isOpen = Atomic<Bool>(false)

  /// Of a handler that gives nothing back.
  func pass() -> Bool {
    isInside.store(true, ordering: .sequentiallyConsistent)
    while !isOpen.load(ordering: .sequentiallyConsistent) { sleep(milliseconds: 1) }
    isInside.store(false, ordering: .sequentiallyConsistent)
    return false
  }
}
