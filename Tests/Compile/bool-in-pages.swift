// expect: requires that 'Bool' conform to 'FullyInhabited'
import PageAlloc

func bad(_ arena: PageArena) throws {
  var run = try arena.allocateRun(pages: 4)
  var flags = run.mutableElements(of: Bool.self)
  flags[0] = true
}
