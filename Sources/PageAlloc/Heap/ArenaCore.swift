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

  /// The core of a head that is, or is about to be, initialized.
  @inlinable @inline(__always)
  init(head: UnsafeMutableRawPointer) {
    unsafe pointer = head.assumingMemoryBound(to: ArenaFacts.self)
  }

  /// The core whose address a cache holds.
  @inlinable @inline(__always)
  init(_ address: UnsafeRawPointer) {
    unsafe self.init(head: UnsafeMutableRawPointer(mutating: address))
  }

  /// Where the head lies.
  var head: UnsafeMutableRawPointer { unsafe UnsafeMutableRawPointer(pointer) }

  /// What never changes.
  @inlinable
  var facts: ArenaFacts {
    @_transparent unsafeAddress { unsafe UnsafePointer(pointer) }
  }

  /// Where a part of the head lies: ArenaHead gives each a place of its own.
  @inline(__always)
  private func part<Part: ~Copyable>(_ offset: Int) -> UnsafeMutablePointer<Part> {
    unsafe (head + offset).assumingMemoryBound(to: Part.self)
  }

  private var locks: ArenaLocks {
    @inline(__always) unsafeAddress { unsafe UnsafePointer(part(ArenaHead.locksOffset)) }
  }

  private var heap: Heap {
    @inline(__always) unsafeAddress { unsafe UnsafePointer(part(ArenaHead.heapOffset)) }
    @inline(__always) nonmutating unsafeMutableAddress { unsafe part(ArenaHead.heapOffset) }
  }

  private var growth: Growth {
    unsafeAddress { unsafe UnsafePointer(part(ArenaHead.growthOffset)) }
    nonmutating unsafeMutableAddress { unsafe part(ArenaHead.growthOffset) }
  }

  private var steps: ScavengeSteps {
    unsafeAddress { unsafe UnsafePointer(part(ArenaHead.stepsOffset)) }
    nonmutating unsafeMutableAddress { unsafe part(ArenaHead.stepsOffset) }
  }

  private var link: ScavengerLink {
    unsafeAddress { unsafe UnsafePointer(part(ArenaHead.linkOffset)) }
    nonmutating unsafeMutableAddress { unsafe part(ArenaHead.linkOffset) }
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
    locks.heap.lock()
    defer { locks.heap.unlock() }
    return try body(&heap)
  }

  /// The same, if the lock can be had within about a tenth of a second: for who may hold it
  /// already.
  func withHeapIfFree<Result>(_ body: (inout Heap) -> Result) -> Result? {
    guard patiently({ locks.heap.tryLock() }) else { return nil }
    defer { locks.heap.unlock() }
    return body(&heap)
  }

  /// Runs `body` as the one thread that grows the arena, with what that lock guards.
  func withGrowth<Result: ~Copyable, Failure: Error>(
    _ body: (inout Growth) throws(Failure) -> Result
  ) throws(Failure) -> Result {
    locks.growth.lock()
    defer { locks.growth.unlock() }
    return try body(&growth)
  }

  /// Runs `body` as the one thread that gives memory back.
  func withRelease<Result, Failure: Error>(
    _ body: () throws(Failure) -> Result
  ) throws(Failure) -> Result {
    lockRelease()
    defer { locks.release.unlock() }
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
    guard locks.release.tryLock() else { return nil }
    defer { locks.release.unlock() }
    return body()
  }

  /// Runs `body` with what belongs to the one who performs the scavenger's steps, who alone may
  /// call this.
  func withSteps<Result>(_ body: (inout ScavengeSteps) -> Result) -> Result {
    body(&steps)
  }

  /// Runs `body` with what the scavenger's thread keeps of the arena. With the lock of its list
  /// held.
  func withLink<Result>(_ body: (inout ScavengerLink) -> Result) -> Result {
    body(&link)
  }

  /// Whether there is a limit at all. Who reads an old value acts as if it had come before the
  /// change.
  @inline(__always)
  var isLimited: Bool { heap.isLimited.load(ordering: .relaxed) }

  /// How many fresh pages may be taken before the control group is asked again; `Int.max` where
  /// none is watched.
  @inline(__always)
  var pagesUntilLook: Int { heap.pagesUntilLook.load(ordering: .relaxed) }

  /// Whether somebody who took fresh memory should look what must go back.
  @inline(__always)
  var isHeadroomDue: Bool { heap.isHeadroomDue.load(ordering: .relaxed) }
}

// MARK: - fork

extension ArenaCore {
  /// Takes the locks that a fork waits for, in order. The release lock is not one: its holder may
  /// be in the kernel for long.
  func lockForFork() {
    locks.growth.lockForFork()
    locks.heap.lockForFork()
  }

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
    body(&heap, &steps)
    unlockAfterFork()
  }
}

// MARK: - What never changes

extension ArenaCore {
  /// The arena's number in the process, never used twice.
  @inlinable @inline(__always)
  var number: UInt { facts.number }
  /// Its place in the registry.
  var place: Int { facts.place }
  /// Whether owners may come and go by the threads' caches.
  @inlinable @inline(__always)
  var ownersUseCaches: Bool { facts.ownersUseCaches }
  /// The address of offset 0.
  @inline(__always)
  var base: UInt { facts.base }
  /// The operating system's memory.
  var system: SysMem { withSystem { $0 } }
  /// Lends the operating system's memory to `body`, with no reference counted: it lives as long as
  /// the core.
  @inline(__always)
  func withSystem<Result>(_ body: (SysMem) -> Result) -> Result {
    unsafe facts.system._withUnsafeGuaranteedRef(body)
  }
  /// The kernel's page in bytes.
  @inline(__always)
  var physicalPageSize: Int { facts.physicalPageSize }
  /// What was handed out.
  @inline(__always)
  var runs: RunTable { facts.runs }
  /// Pages that a cache may hold; 0 for no caches.
  @inline(__always)
  var cacheLimit: Int { facts.cacheLimit }
  /// The notes of the checked mode; `nil` where it is off.
  @inline(__always)
  var checks: CheckedRuns? { facts.checks }
  /// How the checked mode is set up.
  var checkedMode: CheckedMode { facts.checkedMode }
  /// What the kernel is told of memory to come.
  var hugePages: HugePages { facts.hugePages }
  /// Whether runs may be writable and executable at once.
  var allowsWritableCode: Bool { facts.allowsWritableCode }
  /// Whether the arena never ends.
  var isPermanent: Bool { facts.isPermanent }
  /// The operating system's files about limits and stalls.
  var files: any SystemFiles { facts.files }
  /// The time.
  var clock: any ScavengeClock { facts.clock }
  /// What the options say about memory that goes back.
  var plan: ScavengePlan { facts.plan }
  /// Whether the program's own handlers of `fork` say when the arena is held.
  var forksManually: Bool { facts.forksManually }
}

// MARK: - Beginning and end

extension ArenaCore {
  /// Puts an arena into the head of its tables, which is zero, large enough and used for nothing
  /// else.
  init(
    _ growth: consuming Growth, _ facts: ArenaFacts, _ heap: consuming Heap, _ steps: ScavengeSteps
  ) {
    unsafe self.init(head: growth.tables.head)
    unsafe pointer.initialize(to: facts)
    unsafe part(ArenaHead.locksOffset).initialize(to: ArenaLocks())
    unsafe part(ArenaHead.heapOffset).initialize(to: heap)
    unsafe part(ArenaHead.growthOffset).initialize(to: growth)
    unsafe part(ArenaHead.stepsOffset).initialize(to: steps)
    unsafe part(ArenaHead.linkOffset).initialize(to: ScavengerLink())
  }

  /// Takes an arena apart that nobody refers to any more. The head goes with the tables of
  /// `growth`.
  ///
  /// - Parameter body: is called with what is to be given back to the system.
  func end(_ body: (ArenaFacts, consuming Heap, consuming Growth) -> Void) {
    // Steps, locks and link hold nothing that has to end.
    let heap: Heap = unsafe part(ArenaHead.heapOffset).move()
    let growth: Growth = unsafe part(ArenaHead.growthOffset).move()
    body(unsafe pointer.move(), heap, growth)
  }
}

extension ArenaCore {
  /// The address of a page.
  @inline(__always)
  func address(of page: PageNumber) -> UInt { Geometry.address(of: page, from: base) }

  /// The memory of a page that was handed out.
  @inline(__always)
  func pointer(to page: PageNumber) -> UnsafeMutableRawPointer {
    guard let pointer = unsafe UnsafeMutableRawPointer(bitPattern: address(of: page)) else {
      corrupted("page 0 was handed out", UInt(page))
    }
    return unsafe pointer
  }

  /// The page at an address that the arena handed out.
  @inline(__always)
  func page(of address: UInt) -> PageNumber { Geometry.page(at: address, from: base) }

  /// The page at an address, if `pages` pages from there on lie in the 32-bit space at all.
  @inline(__always)
  func page(at address: UInt, _ pages: Int) throws(PageArenaError) -> PageNumber {
    let limit = Geometry.growableChunks.count << Geometry.chunkPagesLog
    guard pages > 0, pages <= limit else { throw .badPageCount(pages: pages, limit: limit) }
    guard address >= base else { throw .foreign(base: address) }
    let offset = address - base
    let page = offset >> UInt(Geometry.pageShift)
    guard page < UInt(Geometry.pageCount) else { throw .foreign(base: address) }
    guard offset & UInt(Geometry.pageSize - 1) == 0 else { throw .misaligned(base: address) }
    guard Int(page) + pages <= Geometry.pageCount else { throw .foreign(base: address) }
    return Int(page)
  }

  /// The page at any address, if it is one that the arena could have.
  func anyPage(at address: UInt) -> PageNumber? {
    let page = (address &- base) >> UInt(Geometry.pageShift)
    return address >= base && page < UInt(Geometry.pageCount) ? Int(page) : nil
  }

  /// Whole pages as the kernel sees them.
  func range(of run: Range<PageNumber>) -> AdvisedRange {
    AdvisedRange(address: address(of: run.lowerBound), byteCount: Self.byteCount(run.count))
  }

  /// Bytes of so many pages, fewer than the whole space.
  @inline(__always)
  static func byteCount(_ pages: Int) -> UInt {
    UInt(bitPattern: pages) << UInt(Geometry.pageShift)
  }

  /// Bytes of so many pages.
  static func bytes(_ pages: Int) -> UInt64 { UInt64(pages) << UInt64(Geometry.pageShift) }
}

/// Tries for about a tenth of a second.
func patiently(_ attempt: () -> Bool) -> Bool {
  for _ in 0..<1000 {
    if attempt() { return true }
    cdg_pause()
  }
  return false
}
