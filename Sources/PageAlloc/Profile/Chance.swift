// The two functions that sampling by bytes needs. Embedded Swift has none of a C library's own.

/// How likely it is that something is sampled, and how long nothing is.
package enum Chance {
  /// The natural logarithm.
  ///
  /// - Parameter x: above 0, and finite.
  package static func logarithm(_ x: Double) -> Double {
    // x = m × 2^e, 1 ≤ m < 2; with y = (m - 1) / (m + 1) the series converges by 1/9 a step.
    let y = (x.significand - 1) / (x.significand + 1)
    let square = y * y
    var sum = 0.0
    var n = 25.0
    while n > 0 {
      sum = sum * square + 1 / n
      n -= 2
    }
    return 2 * y * sum + Double(x.exponent) * 0.693_147_180_559_945_3
  }

  /// 1 - exp(-x): how likely it is that one of the points lies in a stretch of `x` distances.
  ///
  /// - Parameter x: at least 0.
  package static func ofHit(_ x: Double) -> Double {
    if x > 40 { return 1 }
    // Halved until the series converges fast, and put together again: 1 - (1 - p)² = p (2 - p).
    var halvings = 0
    var small = x
    while small > 0.125 {
      small /= 2
      halvings += 1
    }
    var sum = 0.0
    var n = 10.0
    while n > 0 {
      sum = (1 - sum) * small / n
      n -= 1
    }
    for _ in 0..<halvings { sum *= 2 - sum }
    return sum
  }

  /// A number above 0 and at most 1, of 53 random bits.
  package static func fraction(_ random: UInt64) -> Double {
    Double((random >> 11) + 1) * 0x1p-53
  }

  /// A number whose bits look random, of one in a row.
  package static func scramble(_ number: UInt64) -> UInt64 {
    var x = number &* 0x9E37_79B9_7F4A_7C15
    x = (x ^ x >> 32) &* 0xD6E8_FEB8_6659_FD93
    x = (x ^ x >> 32) &* 0xD6E8_FEB8_6659_FD93
    return x ^ x >> 32
  }
}
