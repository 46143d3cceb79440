import CPageAlloc
import PageAlloc

// The door
// ========
//
//   pa_arena *    the address of a Door, in memory of the library's own
//   pa_cache *    the address of a PageArena.Cache, likewise
//   pa_region *   the address of a PageRegion, likewise
//
// Each function translates its arguments, makes one call of the library's, and translates what
// comes of it: an error into its status (Status.swift). The header, Sources/CPageAlloc, says what
// the functions do; the compiler checks them against it. They are `package`, so that the object
// shows them.

/// An arena, as C has it. Safe, since the one reference that is not counted by the compiler is lent
/// by `withArena` alone.
@safe
struct Door {
  /// Its number in the process: what the shortest way to pages needs of it.
  let number: UInt
  /// The arena, counted once from `pa_create` to `pa_destroy`.
  let arena: Unmanaged<PageArena>
  /// The turn to look at the runs that are set apart, and to change them.
  var turn = pai_turn()
  /// The runs that are set apart; `nil` before the first.
  var apart: ApartRuns?

  init(_ arena: Unmanaged<PageArena>, number: UInt) {
    self.number = number
    unsafe self.arena = arena
  }
}

/// The door of a handle, which is what `pa_create` made, by the header.
@inline(__always)
func door(_ arena: OpaquePointer) -> UnsafeMutablePointer<Door> {
  unsafe UnsafeMutablePointer<Door>(arena)
}

/// Calls `body` with the arena of a handle, with no reference counted: the door's counts as long.
///
/// - Returns: `otherwise` where there is no arena.
@inline(__always)
func withArena<Result>(
  _ arena: OpaquePointer?, or otherwise: @autoclosure () -> Result, _ body: (PageArena) -> Result
) -> Result {
  guard let arena = unsafe arena else { return otherwise() }
  return unsafe door(arena).pointee.arena._withUnsafeGuaranteedRef(body)
}

/// Calls `body` with the arena of a handle, to look at what its lock guards.
///
/// - Returns: that the arena is missing, or that a signal's handler came in the middle of a call.
func looking(_ arena: OpaquePointer?, _ body: (PageArena) -> pa_status) -> pa_status {
  if PageArena.isReentered { return pa_status(PA_REENTERED) }
  return unsafe withArena(arena, or: .badArgument, body)
}

/// Calls `body` with the arena of a handle, and tells what it throws.
@inline(__always)
func status(
  _ arena: OpaquePointer?, _ body: (PageArena) throws(PageArenaError) -> Void
) -> pa_status {
  unsafe withArena(arena, or: .badArgument) { arena in
    do throws(PageArenaError) {
      try body(arena)
      return .ok
    } catch { return pa_status(error) }
  }
}

/// What a call that returns an address does with what it throws.
@inline(__always)
func address(
  _ status: UnsafeMutablePointer<pa_status>?,
  _ body: () throws(PageArenaError) -> UnsafeMutableRawPointer
) -> UnsafeMutableRawPointer? {
  do throws(PageArenaError) {
    let address = unsafe try body()
    unsafe status?.pointee = .ok
    return unsafe address
  } catch {
    unsafe status?.pointee = pa_status(error)
    return nil
  }
}

/// Tells that a call that returns an address was asked wrongly.
func refuse(
  _ refusal: pa_status, _ status: UnsafeMutablePointer<pa_status>?
) -> UnsafeMutableRawPointer? {
  unsafe status?.pointee = refusal
  return nil
}
