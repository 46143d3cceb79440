import CPageAlloc
import PageAlloc

// The handle is the address of the value. Whoever has it is its one owner.
private typealias Handle = UnsafeMutablePointer<PageArena.Cache>

@c @implementation
package func pa_cache_create(
  _ arena: OpaquePointer?, _ cache: UnsafeMutablePointer<OpaquePointer?>?
) -> pa_status {
  guard let cache = unsafe cache else { return .badArgument }
  unsafe cache.pointee = nil
  guard pai_make_room() == 0 else { return .noMemory }
  defer { pai_end_room() }
  return unsafe status(arena) { arena throws(PageArenaError) in
    let made = try arena.makeCache()
    let handle = Handle.allocate(capacity: 1)
    unsafe handle.initialize(to: made)
    unsafe cache.pointee = OpaquePointer(handle)
  }
}

@c @implementation
package func pa_cache_destroy(_ cache: OpaquePointer?) {
  guard let cache = unsafe cache else { return }
  let handle = unsafe Handle(cache)
  unsafe handle.deinitialize(count: 1)
  unsafe handle.deallocate()
}

@c @implementation
package func pa_cache_alloc(
  _ cache: OpaquePointer?, _ pages: Int, _ status: UnsafeMutablePointer<pa_status>?
) -> UnsafeMutableRawPointer? {
  guard let cache = unsafe cache,
    // Where there is one, it is the address of pages that were just taken for the caller.
    let run = unsafe UnsafeMutableRawPointer(
      bitPattern: Handle(cache).pointee.allocateHot(pages: pages))
  else { return unsafe allocateSlowly(cache, pages, status) }
  unsafe status?.pointee = .ok
  return unsafe run
}

@inline(never)
private func allocateSlowly(
  _ cache: OpaquePointer?, _ pages: Int, _ status: UnsafeMutablePointer<pa_status>?
) -> UnsafeMutableRawPointer? {
  guard let cache = unsafe cache else { return unsafe refuse(.badArgument, status) }
  return unsafe address(status) { () throws(PageArenaError) in
    unsafe try Handle(cache).pointee.allocate(pages: pages)
  }
}

@c @implementation
package func pa_cache_free(
  _ cache: OpaquePointer?, _ first: UnsafeMutableRawPointer?, _ pages: Int
) -> pa_status {
  if let cache = unsafe cache, let first = unsafe first,
    unsafe Handle(cache).pointee.deallocateHot(UInt(bitPattern: first), pages: pages)
  {
    return .ok
  }
  return unsafe deallocateSlowly(cache, first, pages)
}

@inline(never)
private func deallocateSlowly(
  _ cache: OpaquePointer?, _ first: UnsafeMutableRawPointer?, _ pages: Int
) -> pa_status {
  guard let cache = unsafe cache else { return .badArgument }
  let place = unsafe Handle(cache).pointee.arena.registration.place
  // None where the arena was destroyed, and lives on for the handle's sake: nothing is set apart.
  guard let arena = unsafe OpaquePointer(pai_handle(place)) else {
    guard let first = unsafe first else { return .badArgument }
    do throws(PageArenaError) {
      unsafe try Handle(cache).pointee.deallocate(first, pages: pages)
      return .ok
    } catch { return pa_status(error) }
  }
  return unsafe withApart(arena, first, PA_NOT_IN_USE) { _, first throws(PageArenaError) in
    unsafe try Handle(cache).pointee.deallocate(first, pages: pages)
  } _: {
    unsafe freeApart($0, $1, pages, $2)
  }
}
