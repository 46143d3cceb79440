import CThreadSlots
import Synchronization

// The front of a cache
// ====================
//
// What nearly every call needs, and no more, so that it can be compiled into the caller's own code:
//
//   in       isInside := 1; closed, since somebody wants all?
//   do       take the hot run, or make the run the hot one
//   note     who got what, in the run table
//   out      isInside := 0
//
// It is the same for a thread's cache, for a handle's, and for the runs of owners. Whatever else
// there is to do is one call at the end of the caller's own code, which so needs no register for
// afterwards: from inside where the hot run does not help (RunCache+Owner), else from outside.

/// What the owner of a cache does without a look at the rest of it.
@usableFromInline
@safe
package struct CacheFront: ~Copyable {
  /// The run that a caller freed last.
  @usableFromInline let rawRun = HotRun()
  /// The run that an owner freed last.
  @usableFromInline let ownedRun = HotRun()
  /// The owner is inside: written by the owner alone, read by who wants to take all.
  @usableFromInline let isInside = Atomic<UInt32>(0)
  /// The number of the ticket with which the cache was closed, because somebody wants to take all.
  /// Where it is open, 0, or `byFence`, which no ticket has: the owner passes a fence. Written with
  /// the heap lock held, read by the owner.
  @usableFromInline let closedWith = Atomic<UInt32>(0)
  /// The address of page 0.
  @usableFromInline let base: UInt
  /// What was handed out.
  @usableFromInline let runs: RunTable
  /// The same by addresses. Up to here it is one line of the processor's cache.
  @usableFromInline let cells: RunCells
  /// Runs that the owner took back, in all: the one count of the shortest way. Of the owner; read
  /// by the statistics. See RunCache+Calls.
  @usableFromInline let frees = Atomic<Int>(0)
  /// Where what owners refer to lies: a number that the cache keeps, and never looks behind.
  @usableFromInline let core: UInt
  /// Where the owner tells what the cache holds.
  let told: CacheCount
  /// The owner passes a fence since the cache was last opened. Of who holds the heap lock.
  private let fences = Atomic<Bool>(false)

  private static var byFence: UInt32 { 2 }

  init(base: UInt, runs: RunTable, core: UInt, tally: CacheTally) {
    self.base = base
    self.runs = runs
    cells = runs.cells(from: base)
    self.core = core
    told = tally.takeCount()
  }
}

// MARK: - In and out

extension CacheFront {
  /// Starts an access by the owner.
  ///
  /// - Returns: `false` where somebody wants to take all: the owner must go by the lock; or where
  ///   the owner is inside already, and this is the handler of a signal.
  @inlinable @inline(__always)
  package borrowing func enter() -> Bool {
    let before = isInside.load(ordering: .relaxed)
    isInside.store(1, ordering: .relaxed)
    cts_compiler_barrier()
    if _fastPath(closedWith.load(ordering: .acquiring) | before == 0) { return true }
    isInside.store(before, ordering: .releasing)
    return false
  }

  /// The same where `enter` has failed, since the kernel has no barrier for all threads: the owner
  /// passes one itself. Out of line.
  ///
  /// - Returns: `false` where somebody wants to take all.
  borrowing func enterByFence() -> Bool {
    if closedWith.load(ordering: .relaxed) != Self.byFence { return false }
    if isInside.load(ordering: .relaxed) != 0 { return false }
    isInside.store(1, ordering: .relaxed)
    atomicMemoryFence(ordering: .sequentiallyConsistent)
    if closedWith.load(ordering: .acquiring) == Self.byFence { return true }
    isInside.store(0, ordering: .releasing)
    return false
  }

  /// Ends an access by the owner.
  @inlinable @inline(__always)
  package borrowing func leave() { isInside.store(0, ordering: .releasing) }
}

// MARK: - Open and closed, as CacheList says

extension CacheFront {
  /// The owner comes in without more ado.
  package var isOpen: Bool { closedWith.load(ordering: .relaxed) == 0 }

  /// The owner must go by the lock.
  package var isClosed: Bool { ticket != nil }

  /// What the cache was closed with; `nil` where it is open.
  var ticket: DrainTicket? {
    let number = closedWith.load(ordering: .relaxed)
    return number == 0 || number == Self.byFence ? nil : DrainTicket(number: number)
  }

  /// Since the cache was last opened the owner passes a fence whenever it comes in.
  package var isFenced: Bool { fences.load(ordering: .relaxed) }

  /// The owner is not inside: certain only where the cache was closed before a barrier in all
  /// threads, or `isFenced` and closed before a fence in this one.
  package var isOutside: Bool { isInside.load(ordering: .acquiring) == 0 }

  /// Asks the owner to stay outside. A cache that is closed keeps its ticket.
  borrowing func close(with ticket: DrainTicket) {
    if !isClosed { closedWith.store(ticket.number, ordering: .relaxed) }
  }

  /// Lets the owner in, who then sees what was changed before.
  ///
  /// - Parameter byFence: the owner has to pass a fence.
  borrowing func open(byFence: Bool) {
    fences.store(byFence, ordering: .relaxed)
    closedWith.store(byFence ? Self.byFence : 0, ordering: .releasing)
  }
}

// MARK: - The hot runs. Only inside, or for who may touch the cache.

extension CacheFront {
  /// Pages for which there is room as the hot run; of a run that is there, its pages.
  @inline(__always)
  borrowing func hotPages(_ kind: RunKind) -> Int {
    let pages = word(kind) & HotRun.pageBits
    return pages == HotRun.pageBits ? 0 : Int(pages)
  }

  /// The same where there is no hot run; else 0.
  borrowing func unusedHotPages(_ kind: RunKind) -> Int { isHot(kind) ? 0 : hotPages(kind) }

  /// Keeps no room where there is no hot run.
  ///
  /// - Returns: how much there was.
  borrowing func resetHotPages(_ kind: RunKind) -> Int {
    let unused = unusedHotPages(kind)
    if !isHot(kind) { forget(kind) }
    return unused
  }

  /// Forgets a hot run, as whoever was inside left it, and its room.
  borrowing func forget(_ kind: RunKind) {
    setWord(kind, HotRun.pageBits)
  }

  @inlinable @inline(__always)
  package borrowing func isHot(_ kind: RunKind) -> Bool {
    word(kind) > HotRun.pageBits
  }

  /// Takes the hot run if it has just so many pages and lies right.
  ///
  /// - Parameters:
  ///   - pages: any number; one that is no length of a run finds none.
  ///   - mask: the bits that its address must not have.
  /// - Returns: its address; 0 for none.
  @inlinable @inline(__always)
  borrowing func takeHot(_ pages: Int, _ mask: UInt = 0, as kind: RunKind) -> UInt {
    let word = word(kind)
    let length = UInt(bitPattern: pages)
    if !_fastPath(word & HotRun.pageBits == length) { return 0 }
    let run = word &- length
    if !_fastPath(run & mask == 0 && run != 0) { return 0 }
    setWord(kind, length)
    return run
  }

  /// Makes a run the hot one in place of what is there.
  ///
  /// - Parameter pages: 1 ... 127.
  borrowing func replaceHot(by run: UInt, _ pages: Int, _ kind: RunKind) {
    setWord(kind, run | UInt(bitPattern: pages))
  }

  /// Counts a run that the owner took back.
  @inlinable @inline(__always)
  borrowing func countFree() {
    // Last, as who reads the counts expects.
    cts_compiler_barrier()
    frees.store(frees.load(ordering: .relaxed) &+ 1, ordering: .relaxed)
  }

  @inlinable @inline(__always)
  borrowing func word(_ kind: RunKind) -> UInt {
    switch kind {
    case .raw: rawRun.word.load(ordering: .relaxed)
    case .owned: ownedRun.word.load(ordering: .relaxed)
    }
  }

  @inlinable @inline(__always)
  borrowing func setWord(_ kind: RunKind, _ word: UInt) {
    switch kind {
    case .raw: rawRun.word.store(word, ordering: .relaxed)
    case .owned: ownedRun.word.store(word, ordering: .relaxed)
    }
  }

  /// The page at an address of the arena's.
  @inlinable @inline(__always)
  package borrowing func page(at address: UInt) -> Int {
    Geometry.page(at: address, from: base)
  }

  /// The address of a page of the arena's.
  @inline(__always)
  package borrowing func address(of page: PageNumber) -> UInt {
    Geometry.address(of: page, from: base)
  }
}

// MARK: - By the hot run alone

/// Where a run starts, by the run table's byte: where that is 1 ... 127, one of so many pages.
@usableFromInline
package struct StartedRun {
  @usableFromInline let page: Int
  @usableFromInline let cell: RunCell

  @inlinable @inline(__always)
  init(page: Int, cell: RunCell) {
    self.page = page
    self.cell = cell
  }
}

extension CacheFront {
  /// Takes the hot run if it has just so many pages, notes it as handed out, and leaves. Inside.
  ///
  /// - Parameters:
  ///   - pages: any number.
  ///   - mask: the bits that its address must not have.
  /// - Returns: its address; 0 for none, and the owner is still inside.
  @inlinable @inline(__always)
  package borrowing func handOutHot(
    _ pages: Int, _ mask: UInt = 0, as kind: RunKind
  ) -> UInt {
    let run = takeHot(pages, mask, as: kind)
    if !_fastPath(run != 0) { return 0 }
    assert(page(ofAny: run) != nil)
    cells[run].set(UInt8(truncatingIfNeeded: pages))
    leave()
    return run
  }

  /// The run at an address, if the run table's byte says that it has so many pages. From outside.
  ///
  /// - Parameters:
  ///   - address: any.
  ///   - pages: any number; of a run it is 1 ... 127.
  @inlinable @inline(__always)
  package borrowing func run(at address: UInt, of pages: Int) -> StartedRun? {
    guard let page = page(ofAny: address) else { return nil }
    let cell = runs.cell(page)
    return Int(cell.value) == pages ? StartedRun(page: page, cell: cell) : nil
  }

  /// The page at an address; `nil` where it is none of the arena's.
  @inlinable @inline(__always)
  borrowing func page(ofAny address: UInt) -> Int? {
    // Below the arena's start it wraps to an offset beyond its end. What lies within a page comes
    // to stand above all page numbers, so that one look finds both.
    let offset = address &- base
    let shift = UInt(Geometry.pageShift)
    let page = offset &>> shift | offset &<< (UInt(UInt.bitWidth) &- shift)
    return page < UInt(Geometry.pageCount) ? Int(bitPattern: page) : nil
  }

  /// Makes a run that was handed out the hot one, where there is none and the last was as long, and
  /// leaves. Inside.
  ///
  /// - Parameters:
  ///   - run: of so many pages.
  ///   - address: of the run.
  /// - Returns: `false`, with nothing changed, and the owner is still inside.
  @inlinable @inline(__always)
  package borrowing func takeBackHot(
    _ run: StartedRun, _ address: UInt, _ pages: Int, as kind: RunKind
  ) -> Bool {
    // As long as the last: a length of a run, then.
    if !_fastPath(word(kind) == UInt(bitPattern: pages)) { return false }
    setWord(kind, address | UInt(bitPattern: pages))
    run.cell.set(0)
    countFree()
    leave()
    return true
  }
}
