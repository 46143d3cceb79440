// expect: 'run' is a 'let' constant
import PageAlloc

func bad(_ arena: PageArena) throws {
  let run = try arena.allocateRun(pages: 4)
  var bytes = run.mutableBytes
  bytes.storeBytes(of: 1, as: UInt32.self)
}
