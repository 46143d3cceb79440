import CPageAlloc
import PageAlloc

@c @implementation
package func pa_create(
  _ options: UnsafePointer<pa_options>?, _ arena: UnsafeMutablePointer<OpaquePointer?>?
) -> pa_status {
  guard let arena = unsafe arena else { return .badArgument }
  unsafe arena.pointee = nil
  guard pai_make_room() == 0 else { return .noMemory }
  defer { pai_end_room() }
  var told = pa_options()
  guard unsafe read(options, into: &told) else { return pa_status(PA_BAD_SIZE) }
  guard let wanted = PageArena.Options(told) else { return .badArgument }
  do throws(PageArenaError) {
    let made = try PageArena(wanted)
    let (place, number) = made.registration
    let handle = UnsafeMutablePointer<Door>.allocate(capacity: 1)
    unsafe handle.initialize(to: Door(.passRetained(made), number: number))
    unsafe pai_set_handle(place, handle)
    unsafe arena.pointee = OpaquePointer(handle)
    return .ok
  } catch { return pa_status(error) }
}

@c @implementation
package func pa_destroy(_ arena: OpaquePointer?) {
  guard let arena = unsafe arena else { return }
  unsafe withArena(arena, or: ()) { library in
    pai_set_handle(library.registration.place, nil)
    // Cache handles keep the arena, but not what the program is called with.
    try? library.replaceLimitHandler(nil)
  }
  let handle = unsafe door(arena)
  // Their owners would keep the arena.
  unsafe handle.pointee.apart?.end()
  // What `pa_create` counted.
  unsafe handle.pointee.arena.release()
  unsafe handle.deallocate()
}
