import CPageAlloc
import PageAlloc

/// A program's function, and what it is called with. Safe and sendable, since the header says that
/// any thread may call it with that until another was set.
@safe
private struct LimitCall: @unchecked Sendable {
  let function: pa_limit_handler
  let context: UnsafeMutableRawPointer?

  /// Has the program give something back.
  func callAsFunction(_ pages: Int) -> Bool { unsafe function(context, pages) != 0 }
}

@c @implementation
package func pa_on_limit(
  _ arena: OpaquePointer?, _ handler: pa_limit_handler?, _ context: UnsafeMutableRawPointer?
) -> pa_status {
  // What keeps the two is an object.
  guard pai_make_room() == 0 else { return .noMemory }
  defer { pai_end_room() }
  return unsafe status(arena) { arena throws(PageArenaError) in
    unsafe try arena.replaceLimitHandler(function(handler, context))
  }
}

@c @implementation
package func pa_pool_on_limit(
  _ pool: OpaquePointer?, _ handler: pa_limit_handler?, _ context: UnsafeMutableRawPointer?
) -> pa_status {
  guard pai_make_room() == 0 else { return .noMemory }
  defer { pai_end_room() }
  return unsafe poolStatus(pool) { pool throws(PageArenaError) in
    unsafe try pool.replaceLimitHandler(function(handler, context))
  }
}

/// What the library calls; `nil` for none.
private func function(
  _ handler: pa_limit_handler?, _ context: UnsafeMutableRawPointer?
) -> (@Sendable (Int) -> Bool)? {
  guard let handler = unsafe handler else { return nil }
  let call = unsafe LimitCall(function: handler, context: context)
  return { call($0) }
}
