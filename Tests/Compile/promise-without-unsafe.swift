// expect: not marked with 'unsafe'
import PageAlloc

struct Header: AnyBitPattern, BitwiseCopyable {
  var isLeaf: Bool

  static var bitPatterns: BitPatternPromise<Header> { BitPatternPromise() }
}
