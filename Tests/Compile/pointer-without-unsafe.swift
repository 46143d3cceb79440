// expect: not marked with 'unsafe'
import PageAlloc

func bad(_ arena: PageArena) throws {
  let base = try arena.allocate(pages: 4)
  try arena.deallocate(base, pages: 4)
}
