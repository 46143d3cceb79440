// expect: 'run' used after consume
import PageAlloc

func bad(_ arena: PageArena) throws -> Int {
  let run = try arena.allocateRun(pages: 4)
  _ = unsafe try run.leak()
  return run.pages
}
