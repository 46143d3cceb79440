// expect: 'run' used after consume
import PageAlloc

func bad(_ arena: PageArena) throws -> Int {
  let run = try arena.allocateRun(pages: 4)
  let halves = run.split(at: 2)
  return run.pages + halves.lower.pages
}
