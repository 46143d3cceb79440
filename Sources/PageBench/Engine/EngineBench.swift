import PageAlloc

/// The bare engine: bookkeeping alone, no lock, no memory behind the pages.
///
/// The operations, and the heap of 1 GiB = 131,072 pages = 256 chunks they are done on, are those
/// by which the Go runtime's page allocator was measured; the names are the names of those
/// measurements.
public struct EngineBench: Sendable {
  /// `PairEmpty/16`, for example.
  public let name: String
  let operation: Operation

  enum Operation: Sendable {
    case pair(Int)
    case churn(RunSizes, percent: Int)
    case cacheAllocate(Int)
    case allocateToCache(isChecker: Bool)
    case cacheFlush
    case checkerFill
    case checkerRefuse(Int)
    case checkerLastFind(Int)
    case checkerLastPair(Int)
    case fullButLastPage
    case scavenge
    case summarize(UInt64)
    case runInWord(UInt64, Int)
  }

  /// All of them.
  public static var all: [EngineBench] {
    var list: [EngineBench] = []
    for pages in [1, 2, 4, 8, 16, 64, 512, 2048] { list.append("PairEmpty/\(pages)", .pair(pages)) }
    for percent in [50, 95] {
      list.append("Churn\(percent)/1", .churn(.fixed(1), percent: percent))
      list.append("Churn\(percent)/8", .churn(.fixed(8), percent: percent))
      for log in [4, 6, 9] {
        list.append("Churn\(percent)/log1-\(1 << log)", .churn(.logarithmic(log), percent: percent))
      }
    }
    list.append("PageCacheAlloc/1", .cacheAllocate(1))
    list.append("PageCacheAlloc/4", .cacheAllocate(4))
    list.append("AllocToCache/Free", .allocateToCache(isChecker: false))
    list.append("AllocToCache/Checker", .allocateToCache(isChecker: true))
    list.append("CacheFlush/Full", .cacheFlush)
    list.append("CheckerFill/1", .checkerFill)
    for pages in [2, 64, 512] { list.append("CheckerRefuse/\(pages)", .checkerRefuse(pages)) }
    for pages in [2, 8, 64, 65, 500] {
      list.append("CheckerLastFind/\(pages)", .checkerLastFind(pages))
    }
    for pages in [2, 8, 64, 65, 500] {
      list.append("CheckerLastPair/\(pages)", .checkerLastPair(pages))
    }
    list.append("FullButLastPage/Find1", .fullButLastPage)
    list.append("Scavenge64K/Force", .scavenge)
    for word in summarizeWords { list.append("Summarize/\(hex(word))", .summarize(word)) }
    for word in runWords {
      for length in [2, 8, 32] {
        list.append("RunInWord/\(hex(word))/\(length)", .runInWord(word, length))
      }
    }
    return list
  }

  private static let summarizeWords: [UInt64] = [
    0x00, 0xFFFF_FFFF_FFFF_FFFF, 0xAA, 0xAAAA_AAAA_AAAA_AAAA, 0x8000_0000_AAAA_AAAA,
    0xAAAA_AAAA_0000_0001, 0xBBBB_BBBB_BBBB_BBBB, 0x8000_0000_BBBB_BBBB, 0xBBBB_BBBB_0000_0001,
    0xCCCC_CCCC_CCCC_CCCC, 0x4444_4444_4444_4444, 0x4040_4040_4040_4040, 0x4000_4000_4000_4000,
    0x1000_4040_44CC_AAFF,
  ]

  private static let runWords: [UInt64] = [
    0xFFFF_FFFF_FFFF_FFFF, 0xAAAA_AAAA_AAAA_AAAA, 0x8000_0000_BBBB_BBBB, 0x4000_4000_4000_4000,
  ]

  private static func hex(_ word: UInt64) -> String {
    "0x" + (word < 16 ? "0" : "") + String(word, radix: 16, uppercase: true)
  }
}

extension [EngineBench] {
  fileprivate mutating func append(_ name: String, _ operation: EngineBench.Operation) {
    append(EngineBench(name: name, operation: operation))
  }
}
