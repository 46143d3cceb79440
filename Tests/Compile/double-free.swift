// expect: 'run' consumed more than once
import PageAlloc

func bad(_ arena: PageArena) throws {
  let run = try arena.allocateRun(pages: 4)
  run.deallocate()
  run.deallocate()
}
