// expect: nothing
import PageAlloc

struct Point: FullyInhabited, BitwiseCopyable {
  var x: Float
  var y: Float

  static var bitPatterns: BitPatternPromise<Point> { unsafe BitPatternPromise() }
}

func good() throws {
  let arena = try PageArena()
  var run = try arena.allocateRun(pages: 4)
  do {
    var words = run.mutableElements(of: UInt32.self)
    words[0] = 1
  }
  do {
    var points = run.mutableElements(of: Point.self)
    points[0].x = 1
  }
  _ = run.elements(of: SIMD4<Float>.self)[0].x
  _ = run.initialize(of: Bool.self) { $0.append(true) }
  _ = unsafe run.unsafeElements(of: Bool.self)[0]
  run.copyBytes(from: [1, 2, 3].span)
  do {
    var bytes = run.mutableBytes
    bytes.storeBytes(of: 42, as: Int.self)
  }
  print(run)
  print("and what can be copied", 1)
  let halves = run.split(at: 1)
  let lower = halves.lower
  halves.upper.deallocate()
  lower.deallocate()
}
