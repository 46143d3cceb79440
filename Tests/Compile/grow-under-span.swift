// expect: overlapping accesses to 'run'
import PageAlloc

func bad(_ arena: PageArena) throws {
  var run = try arena.allocateRun(pages: 4)
  var bytes = run.mutableBytes
  try run.resize(to: 400)
  bytes.storeBytes(of: 1, as: UInt32.self)
}
