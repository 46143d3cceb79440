// expect: not marked with 'unsafe'
import PageAlloc

func bad(_ arena: PageArena) throws {
  let run = try arena.allocateRun(pages: 4)
  _ = run.unsafeElements(of: Bool.self)[0]
}
