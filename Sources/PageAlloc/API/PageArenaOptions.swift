import SysMem

extension PageArena {
  /// Who gives free memory back to the kernel.
  public enum Scavenging: Equatable, Sendable {
    /// The library's one thread for all arenas that say so: started with the first of them, asleep
    /// while there is nothing to give back, gone with the last.
    ///
    /// - Parameters:
    ///   - headroom: free memory that stays resident, as a part of what is in use: 0.1 keeps a
    ///     tenth. 0 ... 16. One MiB stays in any case. Where the kernel has huge pages, and they
    ///     are not avoided, one whose free part is within the headroom is left alone, and those
    ///     that are free as a whole go first. Where the arena takes fresh memory, no more than half
    ///     as much again stays beside the most that was ever in use, and 24 MiB in any case, as far
    ///     as whole huge pages are free.
    ///   - cpuShare: the part of one processor's time that the thread may use; above 0, at most 1.
    case background(headroom: Double = 0.1, cpuShare: Double = 0.01)
    /// Nobody, unless ``PageArena/scavenge(byteCount:)`` or ``PageArena/releaseFreeMemory()`` is
    /// called, or a limit demands it.
    case manual
  }

  /// A bound on resident memory: what is in use, and what is free but was not given back.
  ///
  /// That is the arena's count. Where the kernel backs memory by huge pages, it backs more than is
  /// touched, up to 2 MiB for a page; ``HugePages/avoid`` keeps the two counts together.
  public enum MemoryLimit: Equatable, Sendable {
    /// None but the arena's size.
    case none
    /// In bytes; `nil` for none. 4 GiB and more, which no arena can reach, are none.
    ///
    /// - Parameters:
    ///   - soft: an allocation that would go beyond first gives free memory back, as much as
    ///     needed; where there is none, or where that takes more than half of the time, it goes
    ///     beyond.
    ///   - hard: an allocation that would go beyond, whatever is given back, is refused. Not below
    ///     `soft`.
    case bytes(soft: UInt64? = nil, hard: UInt64? = nil)
    /// What the control group of the process, version 1 or 2, leaves beside everybody else in it.
    /// All but a margin of 1 MiB and 256 KiB a processor is the hard limit; a fraction (above 0, at
    /// most 1) of all is the soft one. The group is asked as the arena takes memory, the more often
    /// the less is left, and before anything is refused. No limit where the group has none.
    case cgroup(fraction: Double)
  }

  /// Whether the kernel is asked for huge pages.
  public typealias HugePages = PageAlloc.HugePages

  /// How an arena is set up.
  ///
  /// ```swift
  /// let arena = try PageArena(reserving: 1 << 30, memoryLimit: .bytes(soft: 256 << 20))
  /// ```
  /// does at once what this does for several arenas:
  /// ```swift
  /// let options = PageArena.Options(reserving: 1 << 30, memoryLimit: .bytes(soft: 256 << 20))
  /// let arena = try PageArena(options)
  /// ```
  public struct Options: Sendable {
    /// Address space to reserve in bytes, 64 MiB to 4 GiB, rounded up to 4 MiB.
    ///
    /// What the kernel grants may be less, by halves; ``Statistics/reservedBytes`` tells. On a
    /// 32-bit host it is the most that the arena takes, piece by piece.
    public var reservedByteCount: UInt64
    /// Bytes of freed runs that each thread may keep at hand for itself; 0 for none.
    ///
    /// That is for runs of up to 127 pages, and as much again for longer ones. Where a thread's
    /// share of what is in use is three to sixteen times that, it is less for the short runs: a
    /// 16th of the share, but not less than 1 MiB. Where much is in use it may be more: a tenth of
    /// it for all threads together. The runs are reused without a lock. Runs of up to 16 pages that
    /// one thread frees and another may want are kept besides, for all threads together at most a
    /// quarter of what one may have. ``PageArena/releaseFreeMemory()`` takes them back first; so
    /// does the scavenger when it finds too little elsewhere, and a limit that could not be kept
    /// otherwise.
    public var threadCacheByteCount: Int
    /// Who gives free memory back.
    public var scavenging: Scavenging
    /// A bound on resident memory.
    public var memoryLimit: MemoryLimit
    /// Whether huge pages are asked for.
    public var hugePages: HugePages
    /// Whether the scavenger gives all free memory back when tasks of the system have to wait for
    /// memory, for a hundredth of the time or more (`/proc/pressure/memory`).
    ///
    /// Only with ``Scavenging/background(headroom:cpuShare:)``, where the kernel has that file. The
    /// kernel wakes the thread; where it does not grant that, the thread looks at the file once a
    /// second.
    public var scavengesUnderPressure: Bool
    /// Whether a run may be writable and executable at once, for code that rewrites itself.
    public var allowsWritableCode: Bool
    /// Whether the arena lives as long as the process: it never ends, even when the last reference
    /// to it has gone. Nobody can then unmap its tables or take their guards away, where the kernel
    /// can see to that (`mseal`, Linux 6.10); ``Statistics/sealedBytes`` tells.
    ///
    /// What is sealed are the tables, as they grow, the threads' caches, and the ends of the
    /// address space that are never used. Runs are not, so that they can be protected, moved and
    /// given back as in any arena.
    public var isPermanent: Bool
    /// Who sees to it that a child of `fork` finds the arena whole.
    public var forkHandling: ForkHandling
    /// Whether the arena looks for the program's mistakes with its runs.
    public var diagnosis: Diagnosis
    /// Whether what happens to the arena's pages is written to a file.
    public var recording: Recording
    /// Whether runs are sampled, to tell who holds them.
    public var profile: Profile
    /// What the program calls the arena: up to 48 bytes of UTF-8 without control characters, for
    /// ``PageArena/all``, for exporters, and for the names of its mappings in `/proc/PID/maps`,
    /// where the kernel keeps names: `[anon:PageAlloc pages LABEL]`,
    /// `[anon:PageAlloc tables LABEL]`. A dot stands there for what the kernel takes in no name:
    /// all but ASCII, and `[]\$` and the backquote.
    public var label: String

    // What only the project's own checks and benchmarks put in place of what an arena has, and the
    // door for C.

    /// The operating system, or what a test puts in its place.
    package var calls: any MemoryCalls = LinuxCalls()
    /// The files of the system, or what a test puts in their place.
    package var files: any SystemFiles = LinuxFiles()
    /// The time, or what a test puts in its place.
    package var clock: any ScavengeClock = SystemClock()
    /// Whether the checked mode says on standard error what it finds.
    package var reportsMistakes = true
    /// What was freed is left alone until the generation ends: one second.
    package var generationNanoseconds: UInt64 = 1_000_000_000
    /// The scavenger's steps are performed by whoever calls ``PageArena/scavengeStep()``: what is
    /// scavenged in the background needs no thread of ours then.
    package var scavengesBySteps = false
    /// Where the random numbers of the profile start, which then samples by one distance for good:
    /// for a check.
    package var profileSeed: UInt?
    /// The headroom, in 1,024ths, that is kept where nobody scavenges in the background: for a
    /// check.
    package var headroomPer1024: Int?
    /// What a pool calls before it makes an arena, and afterwards: whether there is room for the
    /// objects that an arena consists of, where they do not come from malloc.
    package var makeRoom: (@Sendable @convention(c) () -> Bool)?
    package var endRoom: (@Sendable @convention(c) () -> Void)?

    /// Options as given, and as by default where nothing is given: see the properties of the same
    /// names.
    ///
    /// - Parameters: see the properties. 4 GiB of address space are reserved by default.
    /// - Complexity: O(1).
    public init(
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
    ) {
      self.reservedByteCount = reservedByteCount
      self.threadCacheByteCount = threadCacheByteCount
      self.scavenging = scavenging
      self.memoryLimit = memoryLimit
      self.hugePages = hugePages
      self.scavengesUnderPressure = scavengesUnderPressure
      self.allowsWritableCode = allowsWritableCode
      self.isPermanent = isPermanent
      self.forkHandling = forkHandling
      self.diagnosis = diagnosis
      self.recording = recording
      self.profile = profile
      self.label = label
    }

    /// As by default, from `calls`.
    package init(calls: any MemoryCalls) {
      self.init()
      self.calls = calls
    }
  }
}

extension PageArena.Options {
  /// - Throws: the first option that makes no sense.
  func check() throws(PageArenaError) {
    guard reservedByteCount >= Reservation.minimumByteCount,
      reservedByteCount <= Reservation.maximumByteCount
    else {
      throw .badReservation(
        reservedByteCount: reservedByteCount, minimum: Reservation.minimumByteCount)
    }
    if case .background(let headroom, let share) = scavenging {
      // Written so that a NaN is refused too.
      guard headroom >= 0, headroom <= 16, share > 0, share <= 1 else { throw .badScavenging }
    }
    try memoryLimit.check()
    if case .checked(let byteCount, _) = diagnosis, byteCount < 0 { throw .badDiagnosis }
    try recording.check()
    try profile.check()
    if LabelText(label) == nil {
      throw .badLabel(byteCount: label.utf8.count, limit: LabelText.limit)
    }
  }
}

extension PageArena.Options {
  /// What they say about memory that goes back.
  package var scavengePlan: ScavengePlan {
    var background: ScavengePlan.Background?
    if case .background(let headroom, let cpuShare) = scavenging {
      background = ScavengePlan.Background(headroom: headroom, cpuShare: cpuShare)
    }
    return ScavengePlan(
      background: background, hasThread: !scavengesBySteps, growthPer1024: headroomPer1024,
      generationNanoseconds: generationNanoseconds, readsPressure: scavengesUnderPressure)
  }
}

extension PageArena.MemoryLimit {
  /// - Throws: ``PageArenaError/badMemoryLimit`` where it makes no sense.
  func check() throws(PageArenaError) {
    switch self {
    case .none: break
    case .bytes(let soft, let hard):
      guard soft ?? 0 <= hard ?? .max else { throw .badMemoryLimit }
    case .cgroup(let fraction):
      guard fraction > 0, fraction <= 1 else { throw .badMemoryLimit }
    }
  }
}
