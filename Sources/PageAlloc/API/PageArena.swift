import Synchronization
import SysMem

// The arena
// =========
//
// Real memory under the page allocator. One lock guards the bookkeeping; whatever may take long, a
// call to the kernel or the clearing of memory, happens outside of it:
//
//   allocate    the thread's cache, no lock; else heap: find and mark; then clear what is dirty
//               if zeroes were asked for
//   grow        growth: take fresh chunks, mprotect; heap: add them
//   deallocate  the thread's cache, no lock; else heap: check, unmark
//   scavenge    release: { heap: detach; madvise; heap: reattach } ...
//
// The class is a shell: it holds nothing but the way to its core, which is mapped memory, so that
// no allocation of the arena's comes from malloc but the object itself, and no access is checked
// for exclusivity at run time.

/// An arena of page memory: up to 4 GiB of address space, served in runs of 8 KiB pages.
///
/// Memory is committed as demand grows, and goes back to the kernel by itself when it is free: see
/// ``Options/scavenging``, and ``releaseFreeMemory()`` for those who cannot wait. A run goes to the
/// lowest place where it fits. All methods may be called from any thread; a run may be freed by
/// another thread than its own, and in parts.
///
/// The handler of a signal may use arenas, but for a ``Cache`` that its thread uses, too. Where it
/// comes in the middle of a call of its own thread's and would need what that call is changing, it
/// gets ``PageArenaError/reentered``; what cannot throw, the end of a ``PageRun`` above all, traps
/// with that name. Nothing is ever served wrongly.
///
/// ```swift
/// let arena = try PageArena()
/// let run = unsafe try arena.allocate(pages: 16)
/// unsafe run.storeBytes(of: 42, as: Int.self)
/// unsafe try arena.deallocate(run, pages: 16)
/// ```
///
/// When the last reference to the arena goes, all its memory goes, runs still in use included; but
/// where there are owners (``PageRun``, or a ``PageRegion`` that counts as the arena's), it stays
/// until the last of them has gone, too. An arena
/// that is to live as long as the process says so: see ``Options/isPermanent``.
@safe
public final class PageArena: Sendable {
  /// Bytes in a page: 8,192.
  @inlinable public static var pageSize: Int { 8192 }
  /// The least that an arena can reserve: 64 MiB.
  public static let minimumReservedByteCount = Reservation.minimumByteCount

  /// The arena itself.
  @usableFromInline let core: ArenaCore
  /// The arena's number in the process, never used twice; here, too, so that nothing else need be
  /// looked at.
  @usableFromInline let number: UInt
  /// The arena's place in the registry, for the same reason.
  let place: Int

  #if !hasFeature(Embedded)
    /// What it was made with, to be shown by `dump`.
    let options: Options
  #endif

  /// Reserves the address space of an arena. No memory is committed but for its tables.
  ///
  /// - Throws: ``PageArenaError/badReservation(reservedByteCount:minimum:)``,
  ///   ``PageArenaError/badScavenging``, ``PageArenaError/badMemoryLimit``,
  ///   ``PageArenaError/badDiagnosis``, ``PageArenaError/badLabel(byteCount:limit:)``,
  ///   ``PageArenaError/badRecording(byteCount:minimum:maximum:)``,
  ///   ``PageArenaError/badProfile(byteCount:minimum:maximum:)``;
  ///   ``PageArenaError/noAddressSpace(_:)`` where not even 64 MiB are granted;
  ///   ``PageArenaError/recording(_:)`` and ``PageArenaError/profile(_:)`` where their files cannot
  ///   be made;
  ///   ``PageArenaError/system(_:)`` where there is no memory for the tables;
  ///   ``PageArenaError/reentered`` in a signal's handler.
  /// - Complexity: some calls to the kernel, however much is reserved.
  public convenience init(_ options: Options) throws(PageArenaError) {
    try self.init(options, in: nil)
  }

  /// The same, in a place of a pool's where there is one.
  init(_ options: Options, in place: PoolPlace?) throws(PageArenaError) {
    try options.check()
    if InsideMark.isAny { throw .reentered }
    // Before anything is locked that a child would find locked for ever.
    ForkHandlers.register()
    core = try ArenaCore(options, place)
    number = core.number
    self.place = core.place
    #if !hasFeature(Embedded)
      self.options = options
    #endif
  }

  /// Reserves the address space of an arena, with the options given, and the others as by default.
  ///
  /// ```swift
  /// let arena = try PageArena(reserving: 1 << 30, memoryLimit: .bytes(soft: 256 << 20))
  /// ```
  /// - Parameters: see the properties of ``Options``.
  /// - Throws: as ``init(_:)``.
  /// - Complexity: as there.
  public convenience init(
    reserving reservedByteCount: UInt64 = 1 << 32,
    threadCacheByteCount: Int = 16 << 20,
    scavenging: Scavenging = .background(),
    memoryLimit: MemoryLimit = .none,
    hugePages: HugePages = .automatic,
    scavengesUnderPressure: Bool = false,
    allowsWritableCode: Bool = false,
    isPermanent: Bool = false,
    forkHandling: ForkHandling = .automatic, diagnosis: Diagnosis = .automatic,
    recording: Recording = .none, profile: Profile = .automatic, label: String = ""
  ) throws(PageArenaError) {
    try self.init(
      Options(
        reserving: reservedByteCount, threadCacheByteCount: threadCacheByteCount,
        scavenging: scavenging, memoryLimit: memoryLimit, hugePages: hugePages,
        scavengesUnderPressure: scavengesUnderPressure, allowsWritableCode: allowsWritableCode,
        isPermanent: isPermanent,
        forkHandling: forkHandling, diagnosis: diagnosis, recording: recording, profile: profile,
        label: label))
  }

  /// An arena for whoever needs none of his own: as by default, made when it is first asked for,
  /// and there until the process ends.
  ///
  /// Where the system has not even the address space for one, that ends the program. A signal's
  /// handler is not to be the first to ask for it, nor a thread beside which another one forks: the
  /// child could wait for it for ever.
  public static let shared: PageArena = {
    do throws(PageArenaError) {
      return try PageArena()
    } catch {
      fatalError("PageArena.shared: \(error.description)")
    }
  }()

  deinit {
    if core.isPermanent { return }
    if core.wishes.printsStatistics { statistics.write(of: core, "when its last reference went") }
    core.writeLastProfile()
    core.dropLimitHandler()
    core.endOrOrphan()
  }
}

/// Where in a pool an arena is made.
struct PoolPlace {
  /// The address space, which is the arena's from then on; `nil` where it takes its own.
  let reservation: Reservation?
  /// Which arena of the pool it is, from 0 on.
  let index: Int
  /// The arena's number.
  let number: UInt
  /// What it has in common with the others.
  let account: PoolAccount
}

extension ArenaCore {
  /// Makes an arena.
  ///
  /// - Precondition: the options were checked.
  fileprivate init(
    _ options: PageArena.Options, _ inPool: PoolPlace?
  ) throws(PageArenaError) {
    let chunk = UInt64(Geometry.chunkByteCount)
    let byteCount = (options.reservedByteCount + chunk - 1) & ~(chunk - 1)
    let label = LabelText(options.label) ?? LabelText()
    let system = SysMem(calls: options.calls, pages: "pages", label: label)
    let tables: AllocatorTables
    do throws(SysMemError) {
      tables = try AllocatorTables.sysInit(
        system: system, headByteCount: ArenaHead.byteCount,
        annexByteCount: MemoryLayout<RunCache>.size)
    } catch { throw .system(error) }

    let reservation: Reservation
    do throws(SysMemError) {
      if let space = inPool?.reservation {
        reservation = space
      } else {
        reservation = try Reservation.reserve(byteCount, from: system)
      }
    } catch { throw .noAddressSpace(error) }

    let mode = options.checkedMode
    let extras: Extras
    do throws(PageArenaError) {
      extras = try Self.makeExtras(options, mode, label, (inPool?.index ?? 0) + 1, system)
    } catch {
      // A pool's stays reserved, for the next attempt.
      if inPool?.reservation == nil {
        reservation.free(to: system, preparedByteCount: 0, readyByteCount: 0)
      }
      throw error
    }

    let cacheByteCount = mode == nil ? max(0, options.threadCacheByteCount) : 0
    let cacheLimit = min(cacheByteCount >> Geometry.pageShift, Geometry.pageCount)
    let plan = options.scavengePlan
    let runs = tables.runs
    let facts = unsafe ArenaFacts(
      system: Unmanaged.passRetained(system), physicalPageSize: system.physicalPageSize,
      number: inPool?.number ?? ArenaNumbers.take(1),
      place: extras.place, ownersUseCaches: cacheLimit > 0,
      allowsWritableCode: options.allowsWritableCode, isPermanent: options.isPermanent,
      forksManually: options.forkHandling == .manual, hugePages: options.hugePages,
      cacheLimit: cacheLimit, base: reservation.base, runs: runs,
      files: options.files, clock: options.clock, plan: plan,
      pool: inPool.map { unsafe Unmanaged.passRetained($0.account) },
      checks: extras.checks, recorder: extras.recorder, isRecorded: extras.recorder != nil,
      profile: extras.profile, checkedMode: mode ?? CheckedMode(), wishes: EnvironmentWishes(),
      label: label)
    // Where none are wanted, none are kept whole.
    let kernelPages = KernelPages(
      physicalPageSize: options.calls.physicalPageSize,
      hugePageSize: options.hugePages == .avoid ? 0 : options.calls.hugePageSize)
    let growth = Growth(reservation: reservation, tables: tables)
    // The head's, which is initialized before anybody reads it.
    let tally = unsafe ArenaCore(at: growth.tables.address(of: .head)).tally
    self.init(growth, facts, ScavengeSteps(plan)) {
      Heap($0, plan, kernelPages: kernelPages, runs: runs, tally: tally, checks: extras.checks)
    }
    // Whoever passes a fence comes by where a recording is told.
    let ownersFence = cacheLimit > 0 && (isRecorded || !system.passBarrier())
    withHeap {
      $0.profile = profile
      $0.caches.ownersFence = ownersFence
      $0.caches.areKept = options.isPermanent
    }
    if let inPool {
      inPool.reservation?.adopt(by: system)
      refitShare(inPool.account)
    } else {
      setLimits(options.memoryLimit)
    }
    if isPermanent { withGrowth { $0.seal(by: system) } }
    ArenaRegistry.withLock { ArenaRegistry.add(self) }
    if checks != nil { startChecks() }
    if wishes.printsStatistics { LastStatistics.start() }
    if profile != nil { LastProfiles.start() }
    if plan.isInBackground { ScavengerThread.join(self) }
  }

  /// What an arena has besides its memory.
  private struct Extras {
    let checks: CheckedRuns?
    let recorder: RunRecorder?
    let profile: RunProfile?
    let place: Int
  }

  /// Makes notes, a recording, a profile, and a place in the registry.
  private static func makeExtras(
    _ options: PageArena.Options, _ mode: CheckedMode?, _ label: LabelText, _ number: Int,
    _ system: SysMem
  ) throws(PageArenaError) -> Extras {
    let checks: CheckedRuns?
    do throws(SysMemError) {
      checks = mode == nil ? nil : try CheckedRuns.sysInit(system, isPermanent: options.isPermanent)
    } catch { throw .system(error) }
    do throws(PageArenaError) {
      let recorder = try options.recording.makeRecorder(label, number, system)
      do throws(PageArenaError) {
        let profile = try options.makeProfile(number, system)
        do throws(SysMemError) {
          let place = try ArenaRegistry.withLock { () throws(SysMemError) in
            try ArenaRegistry.reservePlace()
          }
          return Extras(checks: checks, recorder: recorder, profile: profile, place: place)
        } catch {
          profile?.unmap(from: system)
          throw .system(error)
        }
      } catch {
        recorder?.end(system)
        throw error
      }
    } catch {
      checks?.unmap(system)
      throw error
    }
  }

  /// Puts a limit that was checked in force.
  func setLimits(_ limit: PageArena.MemoryLimit) {
    withHeap { $0.set(limit.limits, watching: limit.watch) }
    lookAtGroup()
  }
}
