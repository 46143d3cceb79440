import CDiagnosis
import SysMem
import Synchronization

// The core of an arena
// ====================
//
// One word: where the arena's head lies in mapped memory (see ArenaHead). Whoever has it can reach what never
// changes, and what a lock guards, by a closure. Nothing else takes the locks of an arena.
//
//   core.withHeap { heap in ... }      who has which page
//   core.withGrowth { growth in ... }  memory to come; the kernel may be called meanwhile
//   core.withRelease { ... }           the one who gives memory back; the kernel may be called meanwhile
//
// The object that programs hold, `PageArena`, is a shell around it; what owns a run refers to the core alone.
// It lives until the arena has gone, and the last owner, too.

/// An arena in mapped memory, by its address.
@usableFromInline
@safe
struct ArenaCore: @unchecked Sendable {
  // @unchecked: the facts never change; everything else is guarded by the locks, as ArenaHead says.
  //
  // Invariant: the address of a head that is initialized. It ends when nobody refers to it: the arena's end
  // waits for whoever does.
  @usableFromInline let facts: UnsafeMutablePointer<ArenaFacts>

  /// The core of a head that is, or is about to be, initialized.
  @usableFromInline
  init(head: UnsafeMutableRawPointer) {
    unsafe facts = head.assumingMemoryBound(to: ArenaFacts.self)
  }

  /// The core whose address a cache holds.
  @inlinable @inline(__always)
  init(_ address: UnsafeRawPointer) {
    unsafe facts = UnsafeMutablePointer(
      mutating: address.assumingMemoryBound(to: ArenaFacts.self))
  }

  /// Where the head lies.
  var head: UnsafeMutableRawPointer { unsafe UnsafeMutableRawPointer(facts) }

  private func part<Part: ~Copyable>(
    _ type: Part.Type, _ offset: Int
  ) -> UnsafeMutablePointer<Part> {
    // ArenaHead gives each part a place of its own.
    unsafe (head + offset).assumingMemoryBound(to: type)
  }

  @inline(__always)
  private var locks: UnsafeMutablePointer<ArenaLocks> {
    unsafe part(ArenaLocks.self, ArenaHead.locksOffset)
  }

  @inline(__always)
  private var heap: UnsafeMutablePointer<Heap> { unsafe part(Heap.self, ArenaHead.heapOffset) }

  private var growth: UnsafeMutablePointer<Growth> {
    unsafe part(Growth.self, ArenaHead.growthOffset)
  }

  private var steps: UnsafeMutablePointer<ScavengeSteps> {
    unsafe part(ScavengeSteps.self, ArenaHead.stepsOffset)
  }

  private var link: UnsafeMutablePointer<ScavengerLink> {
    unsafe part(ScavengerLink.self, ArenaHead.linkOffset)
  }
}

// MARK: - What the locks guard

extension ArenaCore {
  /// Runs `body` with what the heap lock guards. It calls neither the kernel nor anything that may take long.
  @inline(__always)
  func withHeap<Result: ~Copyable, Failure: Error>(
    _ body: (inout Heap) throws(Failure) -> Result
  ) throws(Failure) -> Result {
    unsafe locks.pointee.heap.lock()
    defer { unsafe locks.pointee.heap.unlock() }
    return try body(&(unsafe heap.pointee))
  }

  /// The same, if the lock can be had within about a tenth of a second: for who may hold it already.
  func withHeapIfFree<Result>(_ body: (inout Heap) -> Result) -> Result? {
    guard patiently({ unsafe locks.pointee.heap.tryLock() }) else { return nil }
    defer { unsafe locks.pointee.heap.unlock() }
    return body(&(unsafe heap.pointee))
  }

  /// Runs `body` as the one thread that grows the arena, with what that lock guards.
  func withGrowth<Result: ~Copyable, Failure: Error>(
    _ body: (inout Growth) throws(Failure) -> Result
  ) throws(Failure) -> Result {
    unsafe locks.pointee.growth.lock()
    defer { unsafe locks.pointee.growth.unlock() }
    return try body(&(unsafe growth.pointee))
  }

  /// Runs `body` as the one thread that gives memory back.
  func withRelease<Result, Failure: Error>(
    _ body: () throws(Failure) -> Result
  ) throws(Failure) -> Result {
    unsafe locks.pointee.release.lock()
    defer { unsafe locks.pointee.release.unlock() }
    return try body()
  }

  /// The same, if nobody else is at it.
  func withReleaseIfFree<Result>(_ body: () -> Result) -> Result? {
    guard unsafe locks.pointee.release.tryLock() else { return nil }
    defer { unsafe locks.pointee.release.unlock() }
    return body()
  }

  /// Runs `body` with what belongs to the one who performs the scavenger's steps, who alone may call this.
  func withSteps<Result>(_ body: (inout ScavengeSteps) -> Result) -> Result {
    body(&(unsafe steps.pointee))
  }

  /// Runs `body` with what the scavenger's thread keeps of the arena. With the lock of its list held.
  func withLink<Result>(_ body: (inout ScavengerLink) -> Result) -> Result {
    body(&(unsafe link.pointee))
  }

  /// Whether there is a limit at all. Who reads an old value acts as if it had come before the change.
  @inline(__always)
  var isLimited: Bool { unsafe heap.pointee.isLimited.load(ordering: .relaxed) }

  /// Whether somebody who took fresh memory should look what must go back.
  @inline(__always)
  var isHeadroomDue: Bool { unsafe heap.pointee.isHeadroomDue.load(ordering: .relaxed) }
}

// MARK: - fork

extension ArenaCore {
  /// Takes the locks that a fork waits for, in order. The release lock is not one: its holder may be in the
  /// kernel for long.
  func lockForFork() {
    unsafe locks.pointee.growth.lock()
    unsafe locks.pointee.heap.lock()
  }

  /// Gives them back, in the parent.
  func unlockAfterFork() {
    unsafe locks.pointee.heap.unlock()
    unsafe locks.pointee.growth.unlock()
  }

  /// In the child, whose other threads are gone: runs `body` with what the locks guard, and gives them back.
  func unlockInChild(_ body: (inout Heap, inout ScavengeSteps) -> Void) {
    unsafe locks.pointee.release.reset()
    body(&(unsafe heap.pointee), &(unsafe steps.pointee))
    unlockAfterFork()
  }
}

// MARK: - What never changes

extension ArenaCore {
  /// The arena's number in the process, never used twice.
  @inlinable @inline(__always)
  var number: UInt { unsafe facts.pointee.number }
  /// Its place in the registry.
  var place: Int { unsafe facts.pointee.place }
  /// Whether owners may come and go by the threads' caches.
  @inlinable @inline(__always)
  var ownersUseCaches: Bool { unsafe facts.pointee.ownersUseCaches }
  /// The address of offset 0.
  @inline(__always)
  var base: UInt { unsafe facts.pointee.base }
  /// The operating system's memory.
  @inline(__always)
  var system: SysMem { unsafe facts.pointee.system }
  /// What was handed out.
  @inline(__always)
  var runs: RunTable { unsafe facts.pointee.runs }
  /// Pages that a cache may hold; 0 for no caches.
  @inline(__always)
  var cacheLimit: Int { unsafe facts.pointee.cacheLimit }
  /// The notes of the checked mode; `nil` where it is off.
  @inline(__always)
  var checks: CheckedRuns? { unsafe facts.pointee.checks }
  /// How the checked mode is set up.
  var checkedMode: CheckedMode { unsafe facts.pointee.checkedMode }
  /// What the kernel is told of memory to come.
  var hugePages: HugePages { unsafe facts.pointee.hugePages }
  /// Whether runs may be writable and executable at once.
  var allowsWritableCode: Bool { unsafe facts.pointee.allowsWritableCode }
  /// Whether the arena never ends.
  var isPermanent: Bool { unsafe facts.pointee.isPermanent }
  /// The operating system's files about limits and stalls.
  var files: any SystemFiles { unsafe facts.pointee.files }
  /// The time.
  var clock: any ScavengeClock { unsafe facts.pointee.clock }
  /// What the options say about memory that goes back.
  var plan: ScavengePlan { unsafe facts.pointee.plan }
}

// MARK: - Beginning and end

extension ArenaCore {
  /// Puts an arena into the head of its tables, which is zero, large enough and used for nothing else.
  init(_ growth: consuming Growth, _ facts: ArenaFacts, _ heap: consuming Heap, _ steps: ScavengeSteps) {
    unsafe self.init(head: growth.tables.head)
    unsafe self.facts.initialize(to: facts)
    unsafe locks.initialize(to: ArenaLocks())
    unsafe self.heap.initialize(to: heap)
    unsafe self.growth.initialize(to: growth)
    unsafe self.steps.initialize(to: steps)
    unsafe link.initialize(to: ScavengerLink())
  }

  /// Takes an arena apart that nobody refers to any more. The head goes with the tables of `growth`.
  ///
  /// - Parameter body: is called with what is to be given back to the system.
  func end(_ body: (ArenaFacts, consuming Heap, consuming Growth) -> Void) {
    unsafe steps.deinitialize(count: 1)
    unsafe locks.deinitialize(count: 1)
    let heap = unsafe self.heap.move()
    let growth = unsafe self.growth.move()
    body(unsafe facts.move(), heap, growth)
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
