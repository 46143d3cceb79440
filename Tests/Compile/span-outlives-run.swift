// expect: lifetime-dependent
import PageAlloc

func bad(_ arena: PageArena) throws -> RawSpan {
  let run = try arena.allocateRun(pages: 4)
  return run.bytes
}
