/// Repeatable random numbers: the same seed, the same numbers, on every target.
package struct SplitMix64: RandomNumberGenerator {
  private var state: UInt64

  /// Numbers from a seed.
  package init(seed: UInt64) { state = seed }

  /// The next 64 bits.
  package mutating func next() -> UInt64 {
    state &+= 0x9e37_79b9_7f4a_7c15
    var z = state
    z = (z ^ (z >> 30)) &* 0xbf58_476d_1ce4_e5b9
    z = (z ^ (z >> 27)) &* 0x94d0_49bb_1331_11eb
    return z ^ (z >> 31)
  }

  /// A number in 0 ..< `bound`.
  package mutating func below(_ bound: Int) -> Int {
    Int(truncatingIfNeeded: next() % UInt64(bound))
  }

  /// A number in 1 ... 2^`log`, small ones more often.
  package mutating func logarithmic(_ log: Int) -> Int { 1 + below(1 << below(log + 1)) }
}
