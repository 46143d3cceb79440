// expect: cannot be consumed when captured by an escaping closure or borrowed by a non-Escapable
// type
import PageAlloc

func bad(_ arena: PageArena) throws -> UInt8 {
  let run = try arena.allocateRun(pages: 4)
  let bytes = run.bytes
  run.deallocate()
  return UInt8(bytes.byteCount)
}
