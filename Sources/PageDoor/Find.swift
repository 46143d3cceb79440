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
    let found = unsafe arena.run(containing: address).map { ($0.address, $0.pages) }
    guard let (start, pages) = unsafe found ?? findApart(owner, address) else {
      return pa_status(PA_NOT_IN_USE)
    }
    var result = unsafe pa_run()
    unsafe result.start = UnsafeMutableRawPointer(bitPattern: start)
    unsafe result.pages = pages
    unsafe result.arena = owner
    let size = unsafe Int(clamping: run.pointee.size)
    return unsafe writeStruct(result, to: run, size) ? .ok : pa_status(PA_BAD_SIZE)
  }
}

/// The handle of the arena in whose memory an address lies.
private func owner(of address: UnsafeRawPointer) -> OpaquePointer? {
  guard let place = unsafe PageArena.placeOfArena(holding: address) else { return nil }
  return unsafe OpaquePointer(pai_handle(place))
}

/// The run that is set apart and that an address lies in: where it starts, and its pages.
private func findApart(_ arena: OpaquePointer, _ address: UnsafeRawPointer) -> (UInt, Int)? {
  if unsafe door(arena).pointee.apart == nil { return nil }
  var found: (UInt, Int)?
  _ = unsafe withTurn(arena) { _, apart throws(PageArenaError) in
    if let apart, let page = apart.page(at: UInt(bitPattern: address)),
      let run = apart.run(around: page)
    {
      found = (apart.address(of: run.lowerBound), run.count)
    }
  }
  return found
}
