// expect: overlapping accesses to 'run'
import PageAlloc

func bad(_ arena: PageArena) throws {
  var run = try arena.allocateRun(pages: 4)
  var first = run.mutableBytes
  var second = run.mutableBytes
  first.storeBytes(of: 1, as: UInt32.self)
  second.storeBytes(of: 2, as: UInt32.self)
}
