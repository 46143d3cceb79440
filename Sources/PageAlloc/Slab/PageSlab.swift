import SysMem

// A slab
// ======
//
//   allocate     the thread's magazine, no lock; else the slab's lock: frames of the fullest runs;
//                else a run of the arena's
//   deallocate   the thread's magazine, no lock; else the slab's lock: half of it goes to the runs;
//                of those that are empty then all but one go to the arena
//
// The slab's lock is never held while the arena is called: what a fork holds of the arena, nobody
// who has a slab waits for.

/// Frames smaller than a page, of one size: database pages, packets, nodes of a tree.
///
/// Frames are cut from runs that the slab takes from an arena, 64 from each, and lie at multiples
/// of their size. A frame comes from the fullest run that has one; a run that has become empty goes
/// back to the arena, but for one that is kept. So the arena's limits hold for frames, too, and its
/// statistics count the runs as in use.
///
/// All methods may be called from any thread; a frame may be freed by another thread than its own.
/// A thread has up to 33 free frames at hand, which it gives back when it ends; the runs that they
/// are from stay meanwhile. Where the arena has no caches, or is checked, threads have none. A
/// signal's handler may use slabs as it may use arenas: in the middle of a call that it would get
/// in the way of, it gets ``PageArenaError/reentered``.
///
/// ```swift
/// let slab = try PageSlab(frameByteCount: 4096, in: arena)
/// var frame = try slab.allocateFrame()
/// var bytes = frame.mutableBytes
/// bytes.storeBytes(of: 42, as: Int.self)
/// ```
///
/// The slab holds its arena. When the last reference to it goes, all its frames go, those still in
/// use included; a ``PageFrame`` is such a reference. In a child of `fork` a slab is as it was, but
/// that frames at hand for threads are free.
@safe
public final class PageSlab: Sendable {
  /// The arena that the runs are from.
  public let arena: PageArena
  @usableFromInline let layout: SlabLayout
  @usableFromInline let states: FrameStates
  @usableFromInline let magazines: MagazineTable
  let core: SlabCore

  /// Makes a slab without a frame. It takes no run of the arena's until one is asked for.
  ///
  /// - Parameters:
  ///   - frameByteCount: bytes in a frame: 512, 1,024, 2,048 or 4,096.
  ///   - arena: where the runs are from.
  /// - Throws: ``PageArenaError/badFrameByteCount(frameByteCount:)``;
  ///   ``PageArenaError/system(_:)`` where there is no memory for the tables.
  /// - Complexity: some calls to the kernel.
  public init(frameByteCount: Int, in arena: PageArena) throws(PageArenaError) {
    guard let layout = SlabLayout(frameByteCount: frameByteCount, origin: arena.core.base) else {
      throw .badFrameByteCount(frameByteCount: frameByteCount)
    }
    try arena.core.requireOutside()
    self.arena = arena
    self.layout = layout
    do throws(SysMemError) {
      (core, magazines, states) = try SlabCore.sysInit(layout, in: arena)
    } catch { throw .system(error) }
    SlabList.add(core)
  }

  deinit {
    if arena.core.isInside { reentered() }
    SlabList.remove(core)
    while let run = core.takeAnyRun() { arena.takeBack(run) }
    core.free(to: arena.core.system)
  }

  /// Bytes in a frame, and what a frame's address is a multiple of.
  public var frameByteCount: Int { layout.frameByteCount }
}

extension PageArena {
  /// Takes a run back from a slab.
  func takeBack(_ run: PageExtent) {
    do throws(PageArenaError) {
      try core.deallocate(run.address, run.pages, through: nil)
    } catch {
      if error == .reentered { reentered() }
      corrupted("a slab's run is not in use", run.address)
    }
  }
}
