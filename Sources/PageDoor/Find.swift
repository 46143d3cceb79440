import CPageAlloc
import PageAlloc

@c @implementation
package func pa_find(
  _ arena: OpaquePointer?, _ address: UnsafeRawPointer?, _ run: UnsafeMutablePointer<pa_run>?
) -> pa_status {
  guard let run = unsafe run else { return .badArgument }
  if PageArena.isReentered { return pa_status(PA_REENTERED) }
  guard let address = unsafe address, let owner = unsafe arena ?? owner(of: address) else {
    return pa_status(PA_NOT_IN_USE)
  }
  return unsafe withArena(owner, or: .badArgument) { arena in
    var result = unsafe pa_run()
    unsafe result.arena = owner
    if let found = unsafe arena.run(containing: address) {
      unsafe result.start = UnsafeMutableRawPointer(bitPattern: found.address)
      unsafe result.pages = found.pages
    } else {
      let answer = unsafe findApart(owner, address, &result)
      if answer != .ok { return answer }
    }
    let size = unsafe Int(clamping: run.pointee.size)
    return unsafe writeStruct(result, to: run, size) ? .ok : pa_status(PA_BAD_SIZE)
  }
}

/// The handle of the arena in whose memory an address lies.
private func owner(of address: UnsafeRawPointer) -> OpaquePointer? {
  guard let place = unsafe PageArena.placeOfArena(holding: address) else { return nil }
  return unsafe OpaquePointer(pai_handle(place))
}

/// Finds the run that is set apart and that an address lies in: where it starts, and its pages.
private func findApart(
  _ arena: OpaquePointer, _ address: UnsafeRawPointer, _ found: inout pa_run
) -> pa_status {
  if unsafe door(arena).pointee.apart == nil { return pa_status(PA_NOT_IN_USE) }
  var extent: (start: UInt, pages: Int)?
  let answer = unsafe withTurn(arena) { _, apart throws(PageArenaError) in
    if let apart, let page = apart.page(at: UInt(bitPattern: address)),
      let run = apart.run(around: page)
    {
      extent = (apart.address(of: run.lowerBound), run.count)
    }
  }
  guard let extent else { return answer == .ok ? pa_status(PA_NOT_IN_USE) : answer }
  unsafe found.start = UnsafeMutableRawPointer(bitPattern: extent.start)
  unsafe found.pages = extent.pages
  return .ok
}
