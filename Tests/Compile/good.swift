// expect: nothing
import PageAlloc

func good() throws {
  let arena = try PageArena()
  var run = try arena.allocateRun(pages: 4)
  do {
    var words = run.mutableElements(of: UInt32.self)
    words[0] = 1
  }
  let halves = run.split(at: 1)
  let lower = halves.lower
  halves.upper.deallocate()
  lower.deallocate()
}
