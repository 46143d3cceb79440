// expect: 'run' consumed more than once
import PageAlloc

func work(_ run: consuming sending PageRun) {}

func bad(_ arena: PageArena) throws {
  let run = try arena.allocateRun(pages: 4)
  work(run)
  work(run)
}
