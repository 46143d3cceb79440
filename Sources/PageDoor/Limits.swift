import CPageAlloc
import PageAlloc

@c @implementation
package func pa_set_limits(
  _ arena: OpaquePointer?, _ soft_bytes: UInt64, _ hard_bytes: UInt64
) -> pa_status {
  unsafe status(arena) { arena throws(PageArenaError) in
    try arena.setMemoryLimit(.bytes(soft: soft_bytes, hard: hard_bytes))
  }
}

@c @implementation
package func pa_set_group_limit(_ arena: OpaquePointer?, _ fraction: Double) -> pa_status {
  unsafe status(arena) { arena throws(PageArenaError) in
    try arena.setMemoryLimit(.cgroup(fraction: fraction))
  }
}

@c @implementation
package func pa_get_limits(
  _ arena: OpaquePointer?, _ soft_bytes: UnsafeMutablePointer<UInt64>?,
  _ hard_bytes: UnsafeMutablePointer<UInt64>?
) -> pa_status {
  unsafe looking(arena) { arena in
    let limits = arena.memoryLimits
    unsafe soft_bytes?.pointee = limits.soft ?? 0
    unsafe hard_bytes?.pointee = limits.hard ?? 0
    return .ok
  }
}
