import CPageAlloc
import PageAlloc

@c @implementation
package func pa_release(
  _ arena: OpaquePointer?, _ bytes: UInt64, _ released: UnsafeMutablePointer<UInt64>?
) -> pa_status {
  unsafe count(arena, released) { arena throws(PageArenaError) in
    try arena.scavenge(byteCount: Int(clamping: bytes))
  }
}

@c @implementation
package func pa_release_all(
  _ arena: OpaquePointer?, _ released: UnsafeMutablePointer<UInt64>?
) -> pa_status {
  unsafe count(arena, released) { arena throws(PageArenaError) in
    try arena.releaseFreeMemory()
  }
}

@c @implementation
package func pa_release_lazy(
  _ arena: OpaquePointer?, _ offered: UnsafeMutablePointer<UInt64>?
) -> pa_status {
  unsafe count(arena, offered) { arena throws(PageArenaError) in
    try arena.releaseFreeMemoryLazily()
  }
}

@c @implementation
package func pa_scavenge_step(
  _ arena: OpaquePointer?, _ nanoseconds: UnsafeMutablePointer<UInt64>?
) -> pa_status {
  unsafe withArena(arena, or: .badArgument) { arena in
    guard arena.scavengesBySteps else { return pa_status(PA_BAD_SCAVENGING) }
    do throws(PageArenaError) {
      guard let step = try arena.scavengeStep() else { return pa_status(PA_BUSY) }
      unsafe nanoseconds?.pointee = step
      return .ok
    } catch { return pa_status(error) }
  }
}

@c @implementation
package func pa_collapse(
  _ arena: OpaquePointer?, _ gathered: UnsafeMutablePointer<UInt64>?
) -> pa_status {
  unsafe count(arena, gathered) { arena throws(PageArenaError) in
    try arena.collapse()
  }
}

/// Makes a call that tells how many bytes it was about.
///
/// - Parameter bytes: where that goes, if the caller wants to know.
private func count(
  _ arena: OpaquePointer?, _ bytes: UnsafeMutablePointer<UInt64>?,
  _ body: (PageArena) throws(PageArenaError) -> Int
) -> pa_status {
  unsafe status(arena) { arena throws(PageArenaError) in
    unsafe bytes?.pointee = 0
    let count = try body(arena)
    unsafe bytes?.pointee = UInt64(count)
  }
}
