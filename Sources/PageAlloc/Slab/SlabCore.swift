import SysMem

// The memory of a slab
// ====================
//
// One mapping between two guards, so that nothing comes from malloc but the object that programs
// hold:
//
//   guard | head | magazines | runs: 16 bytes a place | states: a byte a frame | guard
//
// It is as long as the arena's whole space asks for, 1.3 to 10 MiB; the kernel backs what is used
// of it: 80 bytes a run, and 256 bytes a thread.

/// What lies at the start of a slab's memory, and does not change but for the lock.
@safe
private struct SlabHead: ~Copyable {
  /// Guards the runs.
  let lock = FutexLock()
  let magazines: MagazineTable
  let layout: SlabLayout
  /// The slab's arena. Lent: the slab holds it until it has left the list of slabs.
  let arena: Unmanaged<PageArena>
}

/// A slab in mapped memory, by its address.
@safe
struct SlabCore: @unchecked Sendable {
  // @unchecked: what never changes, and what locks guard.
  //
  // Invariant: the address of a head that is initialized, as long as the slab lives; and so are the
  // runs and the link behind it.
  private let pointer: UnsafeMutablePointer<SlabHead>

  private var head: SlabHead { unsafeAddress { unsafe UnsafePointer(pointer) } }

  // What changes lies apart from the head: an access to it is none to the lock.

  private var runs: SlabRuns {
    unsafeAddress { unsafe UnsafePointer(part(at: Parts.guardedOffset)) }
    nonmutating unsafeMutableAddress { unsafe part(at: Parts.guardedOffset) }
  }

  private var link: SlabCore? {
    unsafeAddress { unsafe UnsafePointer(part(at: Parts.linkOffset)) }
    nonmutating unsafeMutableAddress { unsafe part(at: Parts.linkOffset) }
  }

  private func part<Part: ~Copyable>(at offset: Int) -> UnsafeMutablePointer<Part> {
    unsafe (UnsafeMutableRawPointer(pointer) + offset).assumingMemoryBound(to: Part.self)
  }

  /// The tables of a slab's memory: which bytes of it each has.
  struct Parts {
    static var headByteCount: Int { 4096 }
    /// What the lock guards, and what the list's lock guards, within the head's bytes.
    static var guardedOffset: Int { 1024 }
    static var linkOffset: Int { 3072 }
    let runsOffset = headByteCount + MagazineTable.byteCount
    let statesOffset: Int
    let byteCount: Int

    init(_ layout: SlabLayout) {
      statesOffset = runsOffset + SlabRuns.byteCount(forPlaces: layout.runLimit)
      byteCount = statesOffset + layout.frameLimit
    }
  }

  /// Maps the memory of a slab.
  ///
  /// - Returns: the slab, and those of its tables that are looked at without its lock.
  /// - Throws: the kernel refused; nothing stays behind.
  static func sysInit(
    _ layout: SlabLayout, in arena: PageArena
  ) throws(SysMemError) -> (SlabCore, MagazineTable, FrameStates) {
    let parts = Parts(layout)
    let start = try arena.core.system.sysMapGuarded(UInt(parts.byteCount))
    if start == 0 { corrupted("the kernel mapped a slab at address 0") }
    // Each lies in the mapping, which is zero.
    let states = unsafe FrameStates(at: start + UInt(parts.statesOffset))
    let magazines = unsafe MagazineTable(at: start + UInt(Parts.headByteCount))
    let runs = unsafe SlabRuns(at: start + UInt(parts.runsOffset), states: states)
    // The arena is lent, as SlabHead says.
    let head = unsafe SlabHead(
      magazines: magazines, layout: layout, arena: .passUnretained(arena))
    return (SlabCore(start, head, runs), magazines, states)
  }

  private init(_ start: UInt, _ head: consuming SlabHead, _ runs: consuming SlabRuns) {
    assert(MemoryLayout<SlabHead>.size <= Parts.guardedOffset)
    assert(MemoryLayout<SlabRuns>.size <= Parts.linkOffset - Parts.guardedOffset)
    unsafe pointer = PageSpace.memory(at: start).assumingMemoryBound(to: SlabHead.self)
    unsafe pointer.initialize(to: head)
    // As above.
    let guarded: UnsafeMutablePointer<SlabRuns> = unsafe part(at: Parts.guardedOffset)
    unsafe guarded.initialize(to: runs)
    let linked: UnsafeMutablePointer<SlabCore?> = unsafe part(at: Parts.linkOffset)
    unsafe linked.initialize(to: nil)
  }

  /// Unmaps it. Nobody uses it any more.
  func free(to system: SysMem) {
    // The head holds nothing that has to end.
    unsafe system.sysFreeGuarded(UInt(bitPattern: pointer), UInt(Parts(head.layout).byteCount))
  }

  /// Runs `body` with what the slab's lock guards. It calls neither the kernel nor the arena.
  func withRuns<Result: ~Copyable>(_ body: (inout SlabRuns) -> Result) -> Result {
    // In a child nothing is looked at before it was renewed.
    ForkTurn.renewIfNewChild()
    let mark = InsideMark(.slab)
    head.lock.lock(mark)
    defer {
      head.lock.unlock()
      mark.end()
    }
    if runs.isStale { runs.renew() }
    return body(&runs)
  }

  /// Takes a run out that is empty, if there are more of them than are to stay.
  ///
  func takeEmptyRun(keeping kept: Int) -> PageExtent? {
    withRuns { $0.removeEmpty(keeping: kept) }.map { head.layout.extent(ofRun: $0) }
  }

  /// Takes a run out, whatever its frames are.
  func takeAnyRun() -> PageExtent? {
    withRuns { $0.removeAny() }.map { head.layout.extent(ofRun: $0) }
  }

  /// Takes back what a thread that ends has at hand.
  func giveBackMagazines(of thread: UInt) {
    while let magazine = magazines.find(thread) {
      // A signal's handler stays outside from here on, and takes by the lock, or is refused.
      _ = magazine.enter()
      withRuns { $0.drain(magazine, to: 0) }
      magazine.abandon()
    }
  }

  /// The magazines of threads.
  var magazines: MagazineTable { head.magazines }

  /// The slab's arena. The caller has the slab, or the lock of the list of slabs.
  var arena: PageArena { unsafe head.arena.takeUnretainedValue() }

  /// The next slab in the list of all. With the list's lock held.
  var next: SlabCore? {
    get { link }
    nonmutating set { link = newValue }
  }

  /// Whether it is this slab.
  func isSame(as other: SlabCore) -> Bool { unsafe pointer == other.pointer }

  /// In a child of `fork`, before anything else: threads have nothing at hand, and whoever comes
  /// first by the lock makes the runs anew.
  func renewInChild() {
    head.lock.reset()
    head.magazines.reset()
    runs.isStale = true
  }
}
