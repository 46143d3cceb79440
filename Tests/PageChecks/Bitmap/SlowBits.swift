// Oracles: bit by bit, one `Bool` a page, written to be plain and not to be fast.

/// Word `index` of an array of bits.
func slowWord(_ bits: [Bool], _ index: Int) -> UInt64 {
  var word: UInt64 = 0
  for bit in 0..<64 where bits[index * 64 + bit] { word |= 1 << UInt64(bit) }
  return word
}

/// The 64 bits of a word.
func slowBits(_ word: UInt64) -> [Bool] {
  var bits = [Bool](repeating: false, count: 64)
  for bit in 0..<64 where word >> UInt64(bit) & 1 == 1 { bits[bit] = true }
  return bits
}

/// The lowest place, `start` or above, from which `count` bits in a row have a value.
func slowFirstRun(_ bits: [Bool], of value: Bool, count: Int, from start: Int = 0) -> Int? {
  var run = 0
  for place in start..<bits.count {
    run = bits[place] == value ? run + 1 : 0
    if run == count { return place - count + 1 }
  }
  return nil
}

/// How many bits of a range have a value.
func slowCount(_ bits: [Bool], of value: Bool, in range: Range<Int>) -> Int {
  var count = 0
  for place in range where bits[place] == value { count += 1 }
  return count
}

/// A summary, counted.
struct SlowSum {
  /// Free pages at the low edge, the longest run of them, and those at the high edge.
  var start = 0
  var longest = 0
  var end = 0

  /// Counts pages; `isUsed` is asked once for each.
  init(_ pages: Range<Int>, isUsed: (Int) -> Bool) {
    var isAtStart = true
    for page in pages {
      if isUsed(page) {
        isAtStart = false
        end = 0
      } else {
        end += 1
        if isAtStart { start += 1 }
        longest = max(longest, end)
      }
    }
  }

  /// Counts the bits of a map; a one is a page in use.
  init(_ used: [Bool]) { self.init(0..<used.count) { used[$0] } }
}

/// The pages to give back, as the rules say it.
func slowCandidate(
  _ picture: HeapPicture, from place: Int, minimum: Int, limit: Int, physicalPageSize: Int,
  hugePageSize: Int
) -> Range<Int>? {
  func isOpen(_ page: Int) -> Bool {
    let group = page / minimum * minimum
    for page in group..<(group + minimum)
    where picture.used[page] || picture.scavenged[page] { return false }
    return true
  }
  var end = place / 64 * 64 + 64
  while end > 0, !isOpen(end - 1) { end -= 1 }
  if end == 0 { return nil }
  var low = end
  while low > 0, isOpen(low - 1) { low -= 1 }

  let wanted = max(limit + minimum - 1, minimum) / minimum * minimum
  var start = max(low, end - wanted)
  if hugePageSize > 8192, hugePageSize > physicalPageSize {
    let huge = hugePageSize / 8192
    let above = (start + huge - 1) / huge * huge
    let below = start / huge * huge
    if above <= end, below >= low { start = below }
  }
  return start..<end
}

extension SplitMix64 {
  /// Bits of one of several kinds: sparse, dense, even, or in long runs.
  mutating func bits(_ count: Int) -> [Bool] {
    let kind = below(8)
    var bits: [Bool] = []
    if kind < 5 {
      let ones = [1, 8, 32, 56, 63][kind]
      for _ in 0..<count { bits.append(below(64) < ones) }
      return bits
    }
    let log = [3, 6, 8][kind - 5]
    var value = below(2) == 0
    while bits.count < count {
      let run = min(logarithmic(log), count - bits.count)
      for _ in 0..<run { bits.append(value) }
      value = !value
    }
    return bits
  }

  /// A range within 0 ..< `count`, empty now and then.
  mutating func range(_ count: Int) -> Range<Int> {
    let first = below(count + 1)
    let second = below(count + 1)
    return min(first, second)..<max(first, second)
  }
}
