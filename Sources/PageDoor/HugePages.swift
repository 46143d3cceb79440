import CPageAlloc
import PageAlloc

@c @implementation
package func pa_advise_huge_pages(
  _ arena: OpaquePointer?, _ first: UnsafeMutableRawPointer?, _ pages: Int, _ advice: UInt32
) -> pa_status {
  let areWelcome: Bool
  switch Int(clamping: advice) {
  case PA_HUGE_PAGES_PREFER: areWelcome = true
  case PA_HUGE_PAGES_AVOID: areWelcome = false
  // What the kernel was told it cannot be made to forget.
  default: return .badArgument
  }
  return unsafe changeApart(arena, first, pages) { apart, range, _ throws(PageArenaError) in
    try apart.forEachSegment(in: range) { segment throws(PageArenaError) in
      try segment.advise(areWelcome)
    }
  }
}

extension Segment {
  /// Asks for huge pages, or for none. That stays until it is freed.
  fileprivate mutating func advise(_ areWelcome: Bool) throws(PageArenaError) {
    defer { isPlain = isPlain && !run.isAdvised }
    if areWelcome { try run.preferHugePages() } else { try run.avoidHugePages() }
  }
}
