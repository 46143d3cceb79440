import Synchronization
import SysMem

// The arena
// =========
//
// Real memory under the page allocator. One lock guards the bookkeeping; whatever may take long, a
// call to the kernel or the clearing of memory, happens outside of it:
//
//   allocate    the thread's cache, no lock; else
//               lock, find and mark, unlock; clear what is dirty if zeroes were asked for
//   grow        growth lock: take fresh chunks, mprotect; then lock, add them, unlock
//   deallocate  the thread's cache, no lock; else lock, check, unmark, unlock
//   scavenge    release lock: { lock, detach, unlock; madvise; lock, reattach, unlock } ...
//
// The class holds nothing but the way to its state, which is mapped, so that no allocation of the
// arena's comes from malloc but the object itself, and no access to the state is checked for
// exclusivity at run time.

/// An arena of page memory: up to 4 GiB of address space, served in runs of 8 KiB pages.
///
/// Memory is committed as demand grows, and goes back to the kernel by itself when it is free: see
/// ``Options/scavenging``, and ``releaseFreeMemory()`` for those who cannot wait. A run goes to the
/// lowest place where it fits. All methods may be called from any thread; a run may be freed by another thread than its own, and in parts.
///
/// ```swift
/// let arena = try PageArena()
/// let run = try arena.allocate(pages: 16)
/// run.storeBytes(of: 42, as: Int.self)
/// try arena.deallocate(run, pages: 16)
/// ```
///
/// When the last reference to the arena goes, all its memory goes, runs still in use included; but
/// where there are owners (``PageRun``), it stays until the last of them has gone, too. An arena that is
/// to live as long as the process says so: see ``Options/isPermanent``.
@safe
public final class PageArena: @unchecked Sendable {
  // @unchecked: all fields never change; what `state` points at is guarded by the locks in it, as
  // ArenaHead says, and `runs` is accessed by atomics, as RunTable says.

  /// Bytes in a page: 8,192.
  @inlinable public static var pageSize: Int { 8192 }
  /// The least that an arena can reserve: 64 MiB.
  public static let minimumReservedByteCount = Reservation.minimumByteCount

  /// The address of offset 0.
  let base: UInt
  /// The operating system's memory.
  let system: SysMem
  let state: UnsafeMutablePointer<ArenaState>
  /// What was handed out.
  let runs: RunTable
  /// The arena's number in the process, never used twice.
  @usableFromInline let number: UInt
  /// Pages that a cache may hold; 0 for no caches.
  let cacheLimit: Int
  /// What the kernel is told of memory to come.
  let hugePages: HugePages
  /// Whether this is the object that runs refer to: it lives as long as the state, and does not end it.
  let isCore: Bool
  /// Whether owners may come and go by the threads' caches: the kernel can tell when nobody is inside one.
  @usableFromInline let ownersUseCaches: Bool
  /// Whether runs may be writable and executable at once.
  let allowsWritableCode: Bool
  /// Whether the arena never ends.
  let isPermanent: Bool
  /// The notes of the checked mode; `nil` where it is off.
  let checks: CheckedRuns?
  /// How the checked mode is set up.
  let checkedMode: CheckedMode

  /// Reserves the address space of an arena. No memory is committed but for its tables.
  ///
  /// - Throws: ``PageArenaError/badReservation(reservedByteCount:minimum:)``,
  ///   ``PageArenaError/badScavenging``, ``PageArenaError/badMemoryLimit``;
  ///   ``PageArenaError/noAddressSpace(_:)`` where not even 64 MiB are granted;
  ///   ``PageArenaError/system(_:)`` where there is no memory for the tables.
  public init(_ options: Options = Options()) throws(PageArenaError) {
    try options.check()
    let chunk = UInt64(Geometry.chunkByteCount)
    let byteCount = (options.reservedByteCount + chunk - 1) & ~(chunk - 1)
    let system = SysMem(calls: options.calls)
    self.system = system

    let tables: AllocatorTables
    do throws(SysMemError) {
      tables = try AllocatorTables.sysInit(system: system, headByteCount: ArenaHead.byteCount)
    } catch { throw .system(error) }

    let reservation: Reservation
    do throws(SysMemError) {
      reservation = try Reservation.reserve(byteCount, from: system)
    } catch { throw .noAddressSpace(error) }

    let mode = options.checkedMode
    checkedMode = mode ?? CheckedMode()
    do throws(SysMemError) {
      checks = mode == nil ? nil : try CheckedRuns.sysInit(system, isPermanent: options.isPermanent)
    } catch {
      reservation.free(to: system, preparedByteCount: 0, readyByteCount: 0)
      throw .system(error)
    }

    base = reservation.base
    number = Self.numbers.add(1, ordering: .relaxed).newValue
    let cacheByteCount = mode == nil ? max(0, options.threadCacheByteCount) : 0
    cacheLimit = min(cacheByteCount >> Geometry.pageShift, Geometry.pageCount)
    isCore = false
    ownersUseCaches = cacheLimit > 0 && system.passBarrier()
    allowsWritableCode = options.allowsWritableCode
    isPermanent = options.isPermanent
    // The head has room for all of it, is zero, aligned to 64, and used for nothing else.
    unsafe state = UnsafeMutablePointer(head: tables.head)
    unsafe state.locks.initialize(to: ArenaLocks())
    unsafe state.growth.initialize(to: GrowthState(reservation: reservation, tables: tables))
    let plan = options.scavengePlan
    unsafe state.steps.initialize(to: ScavengeSteps(plan))
    // Where none are wanted, none are kept whole.
    let grain = ScavengeGrain(
      physicalPageSize: options.calls.physicalPageSize,
      hugePageSize: options.hugePages == .avoid ? 0 : options.calls.hugePageSize)
    unsafe state.initialize(
      to: ArenaState(
        number: number, growth: state.growth.pointee, grain: grain, system: system,
        files: options.files, clock: options.clock, checks: checks, plan: plan))
    runs = unsafe state.pointee.runs
    hugePages = options.hugePages
    // The core is let go of when the state ends.
    unsafe state.pointee.owned.core = Unmanaged.passRetained(PageArena(coreOf: self))
    setLimits(options.memoryLimit)
    if isPermanent { unsafe state.growth.pointee.seal(by: system) }
    ForkHandlers.register()
    unsafe ArenaRegistry.add(state)
    if checks != nil { startChecks() }
  }

  /// The object that the runs of `arena` refer to.
  private init(coreOf arena: PageArena) {
    base = arena.base
    system = arena.system
    unsafe state = arena.state
    runs = arena.runs
    number = arena.number
    cacheLimit = arena.cacheLimit
    hugePages = arena.hugePages
    isCore = true
    ownersUseCaches = arena.ownersUseCaches
    allowsWritableCode = arena.allowsWritableCode
    isPermanent = arena.isPermanent
    checks = arena.checks
    checkedMode = arena.checkedMode
  }

  /// Arenas made so far.
  private static let numbers = Atomic<UInt>(0)

  deinit {
    if !isCore, !isPermanent { endOrOrphan() }
  }

  /// The address of a page.
  @inline(__always)
  func address(of page: PageNumber) -> UInt {
    Geometry.address(of: page, from: base)
  }

  /// The memory of a page that was handed out.
  @inline(__always)
  func pointer(to page: PageNumber) -> UnsafeMutableRawPointer {
    guard let pointer = unsafe UnsafeMutableRawPointer(bitPattern: address(of: page)) else {
      corrupted("page 0 was handed out", UInt(page))
    }
    return unsafe pointer
  }
}
