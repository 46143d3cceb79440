import CPageAlloc
import PageAlloc

@c @implementation
package func pa_find(
  _ arena: OpaquePointer?, _ address: UnsafeRawPointer?, _ run: UnsafeMutablePointer<pa_run>?
) -> pa_status {
  guard let run = unsafe run else { return .badArgument }
  guard let address = unsafe address, let owner = unsafe arena ?? owner(of: address) else {
    return pa_status(PA_NOT_IN_USE)
  }
  return unsafe withArena(owner, or: .badArgument) { arena in
    guard let found = unsafe arena.run(containing: address) else {
      return pa_status(PA_NOT_IN_USE)
    }
    var result = unsafe pa_run()
    unsafe result.start = UnsafeMutableRawPointer(bitPattern: found.address)
    unsafe result.pages = found.pages
    unsafe result.arena = owner
    let size = unsafe Int(run.pointee.size)
    return unsafe writeStruct(result, to: run, size) ? .ok : pa_status(PA_BAD_SIZE)
  }
}

/// The handle of the arena in whose memory an address lies.
private func owner(of address: UnsafeRawPointer) -> OpaquePointer? {
  guard let place = unsafe PageArena.placeOfArena(holding: address) else { return nil }
  return unsafe OpaquePointer(pai_handle(place))
}
