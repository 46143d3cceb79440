import CSysMem
import SysMem

extension PageArena {
  /// Sets another bound on resident memory.
  ///
  /// Free memory goes back at once, as much as is needed for the soft limit. What is in use stays:
  /// beyond a hard limit that is lower, allocations fail until enough was freed.
  ///
  /// ```swift
  /// try arena.setMemoryLimit(.bytes(soft: 128 << 20, hard: 256 << 20))
  /// ```
  ///
  /// - Throws: ``PageArenaError/badMemoryLimit``; ``PageArenaError/system(_:)`` where the kernel
  ///   refused to take memory back: the limit is set all the same.
  /// - Complexity: O(1), and what giving memory back takes: see ``scavenge(byteCount:)``.
  public func setMemoryLimit(_ limit: MemoryLimit) throws(PageArenaError) {
    try limit.check()
    try core.requireOutside()
    core.setLimits(limit)
    let excess = core.withHeap { $0.limits.excess(residentPages: $0.counts.resident) }
    if core.isLimited { core.stopHugePages() }
    if excess > 0 { _ = try core.release(ArenaCore.bytes(excess), .limit) }
  }

  /// The bounds in force, in bytes; `nil` where there is none. Those of a control group are what it
  /// leaves to the arena just now.
  public var memoryLimits: (soft: UInt64?, hard: UInt64?) {
    core.lookAtGroup()
    let limits = core.withHeap { $0.limits }
    return (limits.softBytes, limits.hardBytes)
  }
}

extension PageArena.MemoryLimit {
  /// The bounds that it stands for, where it says so itself.
  var limits: ResidencyLimits {
    guard case .bytes(let soft, let hard) = self else { return .none }
    return ResidencyLimits(softBytes: soft, hardBytes: hard)
  }

  /// The same for the arenas of a pool together.
  var poolLimits: PoolLimits {
    guard case .bytes(let soft, let hard) = self else { return .none }
    return PoolLimits(softBytes: soft, hardBytes: hard)
  }

  /// The part of a control group's bound; 0 where none says.
  var groupFraction: Double {
    guard case .cgroup(let fraction) = self else { return 0 }
    return fraction
  }

  /// What finds the bounds, where the control group says.
  var watch: GroupWatch? {
    guard case .cgroup(let fraction) = self else { return nil }
    return GroupWatch(fraction: fraction, processorCount: Int(csm_processor_count()))
  }
}
