/// Our own state contradicts itself: says what, and traps. Where there are tables to show,
/// ``PageAllocator/corrupted(_:_:)`` shows them.
///
/// Never called for a mistake of the caller's; those are errors and change nothing. Nothing is
/// allocated on the way, since the heap below may be what is broken.
@inline(never)
package func corrupted(_ what: StaticString, _ detail: UInt = 0) -> Never {
  var line = DumpLine()
  line.append("PageAlloc: corrupted: ")
  line.append(what)
  line.append(" (")
  line.append(detail)
  line.append(")")
  line.write()
  fatalError("PageAlloc: corrupted")
}
