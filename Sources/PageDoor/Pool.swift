import CPageAlloc
import PageAlloc

// A pool's handle is the reference to the PagePool itself, counted once from `pa_pool_create` to
// `pa_pool_destroy`.

@c @implementation
package func pa_pool_create(
  _ options: UnsafePointer<pa_options>?, _ pool: UnsafeMutablePointer<OpaquePointer?>?
) -> pa_status {
  guard let pool = unsafe pool else { return .badArgument }
  unsafe pool.pointee = nil
  var told = pa_options()
  guard unsafe read(options, into: &told) else { return pa_status(PA_BAD_SIZE) }
  guard var wanted = PageArena.Options(told) else { return .badArgument }
  guard pai_make_room() == 0 else { return .noMemory }
  defer { pai_end_room() }
  // Each arena that is made later is an object, too.
  wanted.makeRoom = { pai_make_room() == 0 }
  wanted.endRoom = { pai_end_room() }
  let byteCount = told.reserve_bytes == 0 ? PagePool.defaultByteCount : told.reserve_bytes
  do throws(PageArenaError) {
    let made = try PagePool(reserving: byteCount, options: wanted)
    unsafe pool.pointee = OpaquePointer(Unmanaged.passRetained(made).toOpaque())
    return .ok
  } catch { return pa_status(error) }
}

@c @implementation
package func pa_pool_destroy(_ pool: OpaquePointer?) {
  guard let pool = unsafe pool else { return }
  // What `pa_pool_create` counted.
  unsafe Unmanaged<PagePool>.fromOpaque(UnsafeRawPointer(pool)).release()
}

/// Calls `body` with the pool of a handle, with no reference counted: the handle's counts as long.
///
/// - Returns: `otherwise` where there is no pool.
@inline(__always)
func withPool<Result>(
  _ pool: OpaquePointer?, or otherwise: @autoclosure () -> Result, _ body: (PagePool) -> Result
) -> Result {
  guard let pool = unsafe pool else { return otherwise() }
  return unsafe Unmanaged<PagePool>.fromOpaque(UnsafeRawPointer(pool))
    ._withUnsafeGuaranteedRef(body)
}

/// Calls `body` with the pool of a handle, to look at what locks guard, as `looking` does.
func lookingAtPool(_ pool: OpaquePointer?, _ body: (PagePool) -> pa_status) -> pa_status {
  if PageArena.isReentered { return pa_status(PA_REENTERED) }
  return unsafe withPool(pool, or: .badArgument, body)
}

/// Calls `body` with the pool of a handle, and tells what it throws.
@inline(__always)
func poolStatus(
  _ pool: OpaquePointer?, _ body: (PagePool) throws(PageArenaError) -> Void
) -> pa_status {
  unsafe withPool(pool, or: .badArgument) { pool in
    do throws(PageArenaError) {
      try body(pool)
      return .ok
    } catch { return pa_status(error) }
  }
}

/// Calls `body` with the pool of a handle and an address, and tells what it throws.
@inline(__always)
func poolStatus(
  _ pool: OpaquePointer?, _ first: UnsafeMutableRawPointer?,
  _ body: (PagePool, UnsafeMutableRawPointer) throws(PageArenaError) -> Void
) -> pa_status {
  guard let first = unsafe first else { return .badArgument }
  return unsafe poolStatus(pool) { pool throws(PageArenaError) in unsafe try body(pool, first) }
}
