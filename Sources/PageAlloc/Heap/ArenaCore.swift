import CDiagnosis
import SysMem
import Synchronization

// The core of an arena
// ====================
//
// One word: where the arena's head lies in mapped memory (see ArenaHead). Whoever has it can reach
// what never changes, and what a lock guards, by a closure. Nothing else takes the locks of an
// arena.
//
//   core.withHeap { heap in ... }      who has which page
//   core.withGrowth { growth in ... }  memory to come
//   core.withRelease { ... }           the turn of the one who gives memory back
//
// The last two are held while the kernel is called; the heap's is not.
//
// The object that programs hold, `PageArena`, is a shell around it; what owns a run refers to the
// core alone. It lives until the arena has gone, and the last owner, too.

/// An arena in mapped memory, by its address.
@usableFromInline
@safe
struct ArenaCore: @unchecked Sendable {
  // @unchecked: the facts never change; everything else is guarded by the locks, as ArenaHead says.
  //
  // Invariant: the address of a head that is initialized. It ends when nobody refers to it: the
  // arena's end waits for whoever does.
  @usableFromInline let pointer: UnsafeMutablePointer<ArenaFacts>

  /// The core at an address.
  ///
  /// - Precondition: the head there is, or is about to be, initialized.
  @unsafe @inlinable @inline(__always)
  init(at address: UInt) {
    unsafe pointer = UnsafeMutablePointer(bitPattern: address).unsafelyUnwrapped
  }

  /// The core that a cache keeps the address of.
  @inlinable @inline(__always)
  init(of cache: borrowing CacheFront) {
    // It was made by that core, which outlives it.
    unsafe self.init(at: cache.core)
  }

  /// Where the head lies, which tells arenas apart.
  var address: UInt { unsafe UInt(bitPattern: pointer) }

  /// What never changes.
  @inlinable
  var facts: ArenaFacts {
    @_transparent unsafeAddress { unsafe UnsafePointer(pointer) }
  }

  /// A part of the head: ArenaHead gives each a place of its own.
  private subscript<Part: ~Copyable>(_ part: ArenaPart<Part>) -> Part {
    @inline(__always) unsafeAddress { unsafe UnsafePointer(pointer(to: part)) }
    @inline(__always) nonmutating unsafeMutableAddress { unsafe pointer(to: part) }
  }

  @inline(__always)
  private func pointer<Part: ~Copyable>(to part: ArenaPart<Part>) -> UnsafeMutablePointer<Part> {
    unsafe (UnsafeMutableRawPointer(pointer) + part.offset).assumingMemoryBound(to: Part.self)
  }

  /// What all caches hold.
  var tally: CacheTally { unsafe CacheTally(at: address + UInt(ArenaHead.tallyOffset)) }

  private var locks: ArenaLocks {
    @inline(__always) unsafeAddress { unsafe UnsafePointer(pointer(to: .locks)) }
  }
}

// MARK: - What the locks guard

extension ArenaCore {
  /// Runs `body` with what the heap lock guards. It calls neither the kernel nor anything that may
  /// take long.
  @inline(__always)
  func withHeap<Result: ~Copyable, Failure: Error>(
    _ body: (inout Heap) throws(Failure) -> Result
  ) throws(Failure) -> Result {
    let mark = InsideMark(.heap)
    let last = InsideMark.hideLastSlot()
    locks.heap.lock(mark)
    defer {
      locks.heap.unlock()
      InsideMark.showLastSlot(last)
      mark.end()
    }
    return try body(&self[.heap])
  }

  /// The same, if the lock can be had within about a tenth of a second: for who may hold it
  /// already.
  func withHeapIfFree<Result>(_ body: (inout Heap) -> Result) -> Result? {
    let mark = InsideMark(.heap)
    defer { mark.end() }
    guard patiently({ locks.heap.tryLock() }) else { return nil }
    defer { locks.heap.unlock() }
    return body(&self[.heap])
  }

  /// Runs `body` as the one thread that grows the arena, with what that lock guards.
  func withGrowth<Result: ~Copyable, Failure: Error>(
    _ body: (inout Growth) throws(Failure) -> Result
  ) throws(Failure) -> Result {
    let mark = InsideMark(.growth)
    locks.growth.lock(mark)
    defer {
      locks.growth.unlock()
      mark.end()
    }
    return try body(&self[.growth])
  }

  /// Runs `body` as the one thread that gives memory back.
  func withRelease<Result, Failure: Error>(
    _ body: () throws(Failure) -> Result
  ) throws(Failure) -> Result {
    let mark = InsideMark(.release)
    mark.requireFirst()
    lockRelease()
    defer {
      locks.release.unlock()
      mark.end()
    }
    return try body()
  }

  /// Waits for the turn. A fork, which has not waited for it, lets who has it get on meanwhile: the
  /// thread that forks is in the middle of nothing, and has the heap again afterwards.
  private func lockRelease() {
    if locks.release.tryLock() { return }
    guard ForkTurn.isMine, isHeldByFork else { return locks.release.lock() }
    // In a new child nobody has the turn any more.
    if ForkTurn.isNewChild {
      ForkTurn.renewIfNewChild()
      return locks.release.lock()
    }
    locks.heap.unlockAfterFork()
    locks.release.lock()
    locks.heap.lockForFork()
  }

  /// The same, if nobody else is at it.
  func withReleaseIfFree<Result>(_ body: () -> Result) -> Result? {
    let mark = InsideMark(.release)
    defer { mark.end() }
    guard locks.release.tryLock() else { return nil }
    defer { locks.release.unlock() }
    return body()
  }

  /// Runs `body` with what belongs to the one who performs the scavenger's steps, who alone may
  /// call this.
  func withSteps<Result>(_ body: (inout ScavengeSteps) -> Result) -> Result {
    body(&self[.steps])
  }

  /// Runs `body` as the one who performs a step, where the library's thread does not, if nobody
  /// else is at it.
  func withTurnOfSteps<Result>(_ body: () -> Result) -> Result? {
    guard locks.steps.tryLock() else { return nil }
    defer { locks.steps.unlock() }
    return body()
  }

  /// Runs `body` with what the scavenger's thread keeps of the arena. With the lock of its list
  /// held.
  func withLink<Result>(_ body: (inout ScavengerLink) -> Result) -> Result {
    body(&self[.link])
  }

  /// Whether there is a limit at all. Who reads an old value acts as if it had come before the
  /// change.
  @inline(__always)
  var isLimited: Bool { self[.heap].isLimited.load(ordering: .relaxed) }

  /// How many fresh pages may be taken before the control group is asked again; `Int.max` where
  /// none is watched.
  @inline(__always)
  var pagesUntilLook: Int { self[.heap].pagesUntilLook.load(ordering: .relaxed) }

  /// Whether somebody who took fresh memory should look what must go back.
  @inline(__always)
  var isHeadroomDue: Bool { self[.heap].isHeadroomDue.load(ordering: .relaxed) }
}

// MARK: - fork

extension ArenaCore {
  /// Takes the first of the locks that a fork waits for. The release lock is not one: its holder
  /// may be in the kernel for long.
  func lockGrowthForFork() { locks.growth.lockForFork(.growth) }

  /// Takes the second. In a pool, who grows one arena may look at the heaps of others: so a fork
  /// has the first of all of them before it takes the second of any.
  func lockHeapForFork() { locks.heap.lockForFork(.heap) }

  /// A fork holds the first of them.
  var isGrowthHeldByFork: Bool { locks.growth.isHeldByFork }

  /// A fork holds them.
  var isHeldByFork: Bool { locks.heap.isHeldByFork }

  /// Gives them back, in the parent.
  func unlockAfterFork() {
    locks.heap.unlockAfterFork()
    locks.growth.unlockAfterFork()
  }

  /// In the child, whose other threads are gone: runs `body` with what the locks guard, and gives
  /// them back.
  func unlockInChild(_ body: (inout Heap, inout ScavengeSteps) -> Void) {
    locks.release.reset()
    locks.steps.reset()
    body(&self[.heap], &self[.steps])
    unlockAfterFork()
  }
}

// MARK: - Beginning and end

extension ArenaCore {
  /// Puts an arena into the head of its tables, which is zero, large enough and used for nothing
  /// else.
  ///
  /// - Parameter heap: makes the heap, which takes much of a small stack: right where it will be.
  init(
    _ growth: consuming Growth, _ facts: ArenaFacts, _ steps: ScavengeSteps,
    heap: (borrowing Growth) -> Heap
  ) {
    unsafe self.init(at: growth.tables.address(of: .head))
    unsafe pointer.initialize(to: facts)
    put(ArenaLocks(), at: .locks)
    put(heap(growth), at: .heap)
    put(growth, at: .growth)
    put(steps, at: .steps)
    put(ScavengerLink(), at: .link)
  }

  private func put<Part: ~Copyable>(_ value: consuming Part, at part: ArenaPart<Part>) {
    unsafe pointer(to: part).initialize(to: value)
  }

  /// Takes an arena apart that nobody refers to any more. The head goes with the tables of
  /// `growth`.
  ///
  /// - Parameter body: is called with what is to be given back to the system.
  func end(_ body: (ArenaFacts, consuming Heap, consuming Growth) -> Void) {
    // Steps, locks, link and tally hold nothing that has to end.
    let heap = unsafe pointer(to: .heap).move()
    let growth = unsafe pointer(to: .growth).move()
    body(unsafe pointer.move(), heap, growth)
  }
}
