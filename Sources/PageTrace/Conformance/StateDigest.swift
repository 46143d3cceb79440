import PageAlloc

/// 64-bit FNV-1a over 64-bit words, each fed as eight bytes, the least significant first.
struct StateDigest {
  /// The hash of all that was fed.
  private(set) var value: UInt64 = 0xcbf2_9ce4_8422_2325

  /// Feeds one word.
  mutating func mix(_ word: UInt64) {
    for shift in stride(from: UInt64(0), to: 64, by: 8) {
      // The multiplication is modulo 2^64, as the definition has it.
      value = (value ^ (word &>> shift & 0xff)) &* 0x100_0000_01b3
    }
  }
}

/// What a `check` line tells of the whole state of an allocator.
///
/// Four digests (the allocation maps, the scavenged maps, the summaries, the scavenge records) and
/// five numbers.
struct StateCheck {
  /// What a result of `check` looks like.
  static let form = ResultForm(
    "alloc=w scav=w tree=w index=w search=p start=n end=n free=n scavenged=n")

  private var allocated = StateDigest()
  private var scavenged = StateDigest()
  private var tree = StateDigest()
  private var index = StateDigest()
  private var freeCount = 0
  private var scavengedCount = 0

  init(of allocator: borrowing PageAllocator) {
    for chunk in allocator.startChunk..<max(allocator.startChunk, allocator.endChunk)
    where allocator.isGrown(chunk) {
      let maps = allocator.chunk(chunk)
      allocated.mix(UInt64(chunk))
      scavenged.mix(UInt64(chunk))
      index.mix(UInt64(chunk))
      index.mix(allocator.scavengeIndex.record(chunk).packed)
      for word in 0..<8 {
        let inUse = maps.allocated.bits.word(word)
        let released = maps.scavenged.word(word)
        allocated.mix(inUse)
        scavenged.mix(released)
        freeCount += 64 - inUse.nonzeroBitCount
        scavengedCount += released.nonzeroBitCount
      }
    }
    for level in 0..<Geometry.summaryLevels {
      for entry in 0..<Geometry.entryCount(level) {
        tree.mix(allocator.summaries.entry(level: level, index: entry).packed)
      }
    }
  }

  /// Writes the result of a `check` line.
  func write(to text: inout AsciiText, _ allocator: borrowing PageAllocator) {
    text.append("alloc=")
    text.append(word: allocated.value)
    text.append(" scav=")
    text.append(word: scavenged.value)
    text.append(" tree=")
    text.append(word: tree.value)
    text.append(" index=")
    text.append(word: index.value)
    text.append(" search=")
    text.append(page: allocator.searchPage)
    text.append(" start=")
    text.append(allocator.startChunk)
    text.append(" end=")
    text.append(allocator.endChunk)
    text.append(" free=")
    text.append(freeCount)
    text.append(" scavenged=")
    text.append(scavengedCount)
  }
}
