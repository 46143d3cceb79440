// expect: not marked with 'unsafe'
import PageAlloc

struct Header: FullyInhabited, BitwiseCopyable {
  var isLeaf: Bool

  static var bitPatterns: BitPatternPromise<Header> { BitPatternPromise() }
}
