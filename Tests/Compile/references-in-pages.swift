// expect: requires that 'String' conform to 'FullyInhabited'
import PageAlloc

func bad(_ arena: PageArena) throws {
  var run = try arena.allocateRun(pages: 4)
  var strings = run.mutableElements(of: String.self)
  strings[0] = "a"
}
