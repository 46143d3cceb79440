/// Cheap random numbers, the same from run to run (xorshift).
struct Random {
  private var state: UInt64

  init(seed: UInt64 = 0x2545_f491_4f6c_dd1d) { state = seed }

  /// A number in 0 ..< `bound`, with little bias.
  ///
  /// - Precondition: `bound` is below 2^31.
  @inline(__always)
  mutating func below(_ bound: Int) -> Int {
    state ^= state &<< 13
    state ^= state &>> 7
    state ^= state &<< 17
    // 32 random bits, scaled down: the product has at most 63 bits.
    let scaled = (state &>> 32) &* UInt64(truncatingIfNeeded: bound)
    return Int(truncatingIfNeeded: scaled &>> 32)
  }
}

/// Sizes of runs, in pages.
public enum RunSizes: Sendable {
  /// Always the same.
  case fixed(Int)
  /// Any of 1 ... this, equally often.
  case upTo(Int)
  /// 1, 2, 4 ... 2^this, equally often.
  case powersOfTwo(Int)
  /// 1 + anything below a random power of two up to 2^this: small ones more often.
  case logarithmic(Int)

  @inline(__always)
  func next(_ random: inout Random) -> Int {
    switch self {
    case .fixed(let pages): pages
    case .upTo(let most): 1 &+ random.below(most)
    case .powersOfTwo(let log): 1 &<< random.below(log &+ 1)
    case .logarithmic(let log): 1 &+ random.below(1 &<< random.below(log &+ 1))
    }
  }
}
