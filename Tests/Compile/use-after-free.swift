// expect: 'run' used after consume
import PageAlloc

func bad(_ arena: PageArena) throws -> Int {
  let run = try arena.allocateRun(pages: 4)
  run.deallocate()
  return run.pages
}
