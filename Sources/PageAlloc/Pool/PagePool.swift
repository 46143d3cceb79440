import CSysMem
import SysMem
import Synchronization

// Many arenas behind one face
// ===========================
//
// Address space is reserved at once, at a multiple of 4 GiB; in each 4 GiB of it an arena is made
// when one is needed. So the place of an address says which arena owns it:
//
//   base               + 4 GiB            + 8 GiB            + 12 GiB
//    | arena 0          | arena 1          | (none yet)       | ...
//
// A thread takes pages where it took the last ones, and first of all in an arena that it shares
// with as few others as there can be: each new thread gets the next one, as many as there are
// processors. Where that arena is full the thread moves on to one that is not. The caches that a
// thread has are those of the arenas: the pool adds nothing to a request but the look whether the
// slot used last is one of its own, and nothing to a free but which arena it goes to.

/// Page memory beyond the 4 GiB of an arena: as many arenas as are needed, as one.
///
/// A run lies in one arena, and so has less than 4 GiB. All methods may be called from any thread,
/// and a run may be freed by any. What ``PageArena`` says of signals' handlers and of `fork` holds
/// here, too.
///
/// ```swift
/// let pool = try PagePool(reserving: 64 << 30)
/// let run = try pool.allocateRun(pages: 16)
/// ```
///
/// When the last reference to the pool goes, all its memory goes, but for that of arenas where
/// owners (``PageRun``, or a ``PageRegion`` that counts as the pool's) still live.
@safe
public final class PagePool: Sendable {
  /// The number of the first arena; the others follow.
  @usableFromInline let firstNumber: UInt
  /// How many arenas there may be.
  @usableFromInline let mostArenas: UInt
  /// Whether owners may come and go by the threads' caches.
  @usableFromInline let ownersUseCaches: Bool
  /// Where the address space starts; 0 on a 32-bit host.
  let base: UInt
  /// The pool's own number, and its place in the registry, where threads note which arena is
  /// theirs.
  let number: UInt
  let place: Int
  /// What each arena is made with.
  let options: PageArena.Options
  /// What the arenas have in common.
  let account: PoolAccount
  /// The arenas, as references that the pool has counted; 0 for none, `beingMade` meanwhile.
  let arenas: WordTable
  /// Where their heads lie, which `account` reads.
  let heads: WordTable
  /// The memory that is no arena's.
  let system: SysMem
  /// Threads that were told which arena is theirs.
  let threads = Atomic<Int>(0)

  static var beingMade: UInt { PoolAccount.beingMade }

  /// Reserves the address space of a pool, and makes its first arena.
  ///
  /// - Parameters:
  ///   - byteCount: address space in bytes, rounded up to a multiple of 4 GiB; 64 TiB at most. It
  ///     costs nothing. On a 32-bit host, up to 4 GiB: what the one arena there takes at most.
  ///   - options: what each arena is made with. ``PageArena/Options/memoryLimit`` bounds them all
  ///     together; ``PageArena/Options/reservedByteCount`` is not looked at.
  /// - Throws: as `PageArena.init(_:)`;
  ///   ``PageArenaError/badPoolReservation(reservedByteCount:maximum:)``;
  ///   ``PageArenaError/noAddressSpace(_:)`` where the host has not so much.
  /// - Complexity: some calls to the kernel, however much is reserved.
  public init(
    reserving byteCount: UInt64 = PagePool.defaultByteCount,
    options: PageArena.Options = PageArena.Options()
  ) throws(PageArenaError) {
    guard byteCount > 0, byteCount <= Self.maximumByteCount else {
      throw .badPoolReservation(reservedByteCount: byteCount, maximum: Self.maximumByteCount)
    }
    var options = options
    options.reservedByteCount =
      Reservation.offsetsAreAddresses
      ? max(byteCount, Reservation.minimumByteCount) : Reservation.maximumByteCount
    try options.check()
    if InsideMark.isAny { throw .reentered }
    let count = Int(truncatingIfNeeded: (byteCount + Self.arenaByteCount - 1) / Self.arenaByteCount)
    let system = SysMem(calls: options.calls)
    base = try Self.reserve(count, from: system)
    do throws(SysMemError) {
      arenas = try WordTable(count: count, from: system)
      do throws(SysMemError) {
        heads = try WordTable(count: count, from: system)
        do throws(SysMemError) {
          place = try ArenaRegistry.withLock { () throws(SysMemError) in
            try ArenaRegistry.reservePlace()
          }
        } catch {
          heads.unmap(from: system)
          throw error
        }
      } catch {
        arenas.unmap(from: system)
        throw error
      }
    } catch {
      Self.free(base..<(base + UInt(count) << Self.arenaShift), to: system)
      throw .system(error)
    }
    ForkHandlers.register()
    ForkHandlers.computeOnce { Self.processorCount }
    mostArenas = UInt(count)
    firstNumber = ArenaNumbers.take(count)
    number = ArenaNumbers.take(1)
    account = PoolAccount(
      options.memoryLimit.poolLimits, groupFraction: options.memoryLimit.groupFraction,
      arenas: arenas, heads: heads)
    ownersUseCaches =
      options.checkedMode == nil && options.threadCacheByteCount >= PageArena.pageSize
    self.options = options
    self.system = system
    let (place, number) = (place, number)
    ArenaRegistry.withLock { ArenaRegistry.keep(place, for: number) }
    // There is one from the start, for whoever finds no other.
    _ = try makeArena(0)
  }

  deinit {
    account.close()
    for index in 0..<arenas.count {
      let word = arenas.load(index)
      guard let arena = unsafe UnsafeRawPointer(bitPattern: word), word != Self.beingMade else {
        // No arena has that part of the address space.
        if !Reservation.offsetsAreAddresses { Self.free(addresses(of: index), to: system) }
        continue
      }
      // Counted when it was made. It ends now, or when its last owner has gone.
      unsafe Unmanaged<PageArena>.fromOpaque(arena).release()
    }
    ArenaRegistry.withLock { ArenaRegistry.releasePlace(place) }
    heads.unmap(from: system)
    arenas.unmap(from: system)
  }
}

// MARK: - Address space

extension PagePool {
  /// The address space that a pool reserves where nothing else is said: 64 GiB, and 4 GiB on a
  /// 32-bit host.
  public static var defaultByteCount: UInt64 {
    Reservation.offsetsAreAddresses ? Reservation.maximumByteCount : 64 << 30
  }

  /// The most that a pool can reserve: 64 TiB, and 4 GiB on a 32-bit host.
  public static var maximumByteCount: UInt64 {
    Reservation.offsetsAreAddresses ? Reservation.maximumByteCount : 64 << 40
  }

  /// The address space of an arena.
  static var arenaByteCount: UInt64 { Reservation.maximumByteCount }
  /// The same as a power of two. A 32-bit host shifts by as much, to 0.
  static var arenaShift: UInt { 32 }

  /// Address space for so many arenas, at a multiple of what one has; 0 on a 32-bit host, where its
  /// one arena takes it piece by piece.
  private static func reserve(
    _ count: Int, from system: SysMem
  ) throws(PageArenaError) -> UInt {
    if Reservation.offsetsAreAddresses { return 0 }
    let size = UInt(count) << arenaShift
    let arena = UInt(1) << arenaShift
    do throws(SysMemError) {
      let wide = try system.sysReserve(size + arena)
      let start = (wide + arena - 1) & ~(arena - 1)
      // What sticks out at both ends. Where the kernel refuses, it stays.
      if start > wide { free(wide..<start, to: system) }
      if wide + arena > start { free((start + size)..<(wide + size + arena), to: system) }
      return start
    } catch { throw .noAddressSpace(error) }
  }

  private static func free(_ range: Range<UInt>, to system: SysMem) {
    if range.isEmpty { return }
    system.sysFreeAtLast(range.lowerBound, range.upperBound - range.lowerBound)
  }

  /// The address space of an arena's place, on a 64-bit host.
  fileprivate func addresses(of index: Int) -> Range<UInt> {
    let start = base + UInt(index) << Self.arenaShift
    return start..<(start + UInt(1) << Self.arenaShift)
  }
}

// MARK: - Arenas

extension PagePool {
  /// Makes the arena of a place where none is.
  ///
  /// - Returns: `false` where another thread is at it, or has made it.
  func makeArena(_ index: Int) throws(PageArenaError) -> Bool {
    guard arenas.claim(index, Self.beingMade) else { return false }
    do throws(PageArenaError) {
      if let makeRoom = options.makeRoom, !makeRoom() {
        throw .system(SysMemError(call: .mmap, address: 0, byteCount: 0, errno: .outOfMemory))
      }
      defer { options.endRoom?() }
      let arena = try PageArena(options, inPlace: index, of: self)
      heads.store(index, arena.core.address)
      arenas.store(
        index, unsafe UInt(bitPattern: Unmanaged.passRetained(arena).toOpaque()))
      // Afterwards: a child in which the arena was not done yet makes it once more.
      if !Reservation.offsetsAreAddresses {
        system.sysDisown(byteCount: UInt(truncatingIfNeeded: Self.arenaByteCount))
      }
      // The limit may have been changed before others could see the arena. Who changes it and is in
      // the middle of that sees it.
      try? account.withSettings { arena.core.refitShare(account) }
      return true
    } catch {
      arenas.store(index, 0)
      throw error
    }
  }

  /// Lends the arena of a place to `body`, with no reference counted: it lives as long as the pool.
  ///
  /// - Returns: `nil` where there is none yet.
  @inline(__always)
  func withArena<Result: ~Copyable, Failure: Error>(
    _ index: Int, _ body: (PageArena) throws(Failure) -> Result
  ) throws(Failure) -> Result? {
    let word = arenas.load(index)
    guard let arena = unsafe UnsafeRawPointer(bitPattern: word), word != Self.beingMade else {
      return nil
    }
    return unsafe try body(Unmanaged<PageArena>.fromOpaque(arena).takeUnretainedValue())
  }

  /// The place of the arena that an address would be of; `nil` where it is not the pool's.
  @inline(__always)
  func index(of address: UInt) -> Int? {
    // On a 32-bit host all are the one arena's, which says itself what is its own.
    if Reservation.offsetsAreAddresses { return 0 }
    let index = (address &- base) >> Self.arenaShift
    return index < mostArenas ? Int(bitPattern: index) : nil
  }

  /// Calls `body` with each arena that there is.
  func forEachArena(
    _ body: (PageArena) throws(PageArenaError) -> Void
  ) throws(PageArenaError) {
    for index in 0..<arenas.count { _ = try withArena(index, body) }
  }
}

extension PageArena {
  /// The arena of a pool's place.
  fileprivate convenience init(
    _ options: Options, inPlace index: Int, of pool: PagePool
  ) throws(PageArenaError) {
    var reservation: Reservation?
    if !Reservation.offsetsAreAddresses {
      reservation = Reservation(inPoolAt: pool.addresses(of: index).lowerBound)
    }
    try self.init(
      options,
      in: PoolPlace(
        reservation: reservation, index: index, number: pool.firstNumber + UInt(index),
        account: pool.account))
  }
}
