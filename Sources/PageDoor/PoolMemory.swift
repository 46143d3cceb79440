import CPageAlloc
import PageAlloc

// What a pool has resident, and what it tells of that.

@c @implementation
package func pa_pool_release(
  _ pool: OpaquePointer?, _ bytes: UInt64, _ released: UnsafeMutablePointer<UInt64>?
) -> pa_status {
  unsafe count(pool, released) { pool throws(PageArenaError) in
    try pool.scavenge(byteCount: Int(clamping: bytes))
  }
}

@c @implementation
package func pa_pool_release_all(
  _ pool: OpaquePointer?, _ released: UnsafeMutablePointer<UInt64>?
) -> pa_status {
  unsafe count(pool, released) { pool throws(PageArenaError) in try pool.releaseFreeMemory() }
}

@c @implementation
package func pa_pool_release_lazy(
  _ pool: OpaquePointer?, _ offered: UnsafeMutablePointer<UInt64>?
) -> pa_status {
  unsafe count(pool, offered) { pool throws(PageArenaError) in try pool.releaseFreeMemoryLazily() }
}

@c @implementation
package func pa_pool_scavenge_step(
  _ pool: OpaquePointer?, _ nanoseconds: UnsafeMutablePointer<UInt64>?
) -> pa_status {
  unsafe withPool(pool, or: .badArgument) { pool in
    guard pool.scavengesBySteps else { return pa_status(PA_BAD_SCAVENGING) }
    do throws(PageArenaError) {
      guard let step = try pool.scavengeStep() else { return pa_status(PA_BUSY) }
      unsafe nanoseconds?.pointee = step
      return .ok
    } catch { return pa_status(error) }
  }
}

@c @implementation
package func pa_pool_set_limits(
  _ pool: OpaquePointer?, _ soft_bytes: UInt64, _ hard_bytes: UInt64
) -> pa_status {
  unsafe poolStatus(pool) { pool throws(PageArenaError) in
    try pool.setMemoryLimit(.bytes(soft: soft_bytes, hard: hard_bytes))
  }
}

@c @implementation
package func pa_pool_set_group_limit(_ pool: OpaquePointer?, _ fraction: Double) -> pa_status {
  unsafe poolStatus(pool) { pool throws(PageArenaError) in
    try pool.setMemoryLimit(.cgroup(fraction: fraction))
  }
}

@c @implementation
package func pa_pool_get_limits(
  _ pool: OpaquePointer?, _ soft_bytes: UnsafeMutablePointer<UInt64>?,
  _ hard_bytes: UnsafeMutablePointer<UInt64>?
) -> pa_status {
  unsafe lookingAtPool(pool) { pool in
    let limits = pool.memoryLimits
    unsafe soft_bytes?.pointee = limits.soft ?? 0
    unsafe hard_bytes?.pointee = limits.hard ?? 0
    return .ok
  }
}

@c @implementation
package func pa_pool_get_statistics(
  _ pool: OpaquePointer?, _ statistics: UnsafeMutablePointer<pa_statistics>?
) -> pa_status {
  guard let target = unsafe statistics else { return .badArgument }
  return unsafe lookingAtPool(pool) { pool in
    let size = unsafe Int(clamping: target.pointee.size)
    let figures = pa_statistics(pool.statistics)
    return unsafe writeStruct(figures, to: target, size) ? .ok : pa_status(PA_BAD_SIZE)
  }
}

@c @implementation
package func pa_pool_statistics_json(
  _ pool: OpaquePointer?, _ buffer: UnsafeMutablePointer<CChar>?, _ capacity: Int,
  _ length: UnsafeMutablePointer<Int>?
) -> pa_status {
  unsafe lookingAtPool(pool) { pool in
    unsafe writeJSON(pool.statistics, buffer, capacity, length)
  }
}

@c @implementation
package func pa_pool_measure_resident(
  _ pool: OpaquePointer?, _ bytes: UnsafeMutablePointer<UInt64>?
) -> pa_status {
  guard let bytes = unsafe bytes else { return .badArgument }
  return unsafe poolStatus(pool) { pool throws(PageArenaError) in
    let count = try pool.measureResident()
    unsafe bytes.pointee = count
  }
}

@c @implementation
package func pa_pool_fork_prepare(_ pool: OpaquePointer?) -> pa_status {
  unsafe poolStatus(pool) { pool throws(PageArenaError) in pool.prepareForFork() }
}

@c @implementation
package func pa_pool_fork_parent(_ pool: OpaquePointer?) -> pa_status {
  unsafe poolStatus(pool) { pool throws(PageArenaError) in pool.resumeInParentAfterFork() }
}

@c @implementation
package func pa_pool_fork_child(_ pool: OpaquePointer?) -> pa_status {
  unsafe poolStatus(pool) { pool throws(PageArenaError) in pool.resumeInChildAfterFork() }
}

/// Makes a call that tells how many bytes it was about.
///
/// - Parameter bytes: where that goes, if the caller wants to know.
private func count(
  _ pool: OpaquePointer?, _ bytes: UnsafeMutablePointer<UInt64>?,
  _ body: (PagePool) throws(PageArenaError) -> Int
) -> pa_status {
  unsafe poolStatus(pool) { pool throws(PageArenaError) in
    unsafe bytes?.pointee = 0
    let count = try body(pool)
    unsafe bytes?.pointee = UInt64(count)
  }
}
