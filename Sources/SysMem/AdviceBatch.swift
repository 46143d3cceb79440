import Synchronization

/// Ranges that the kernel is to be told about at once, and what it said of each.
///
/// Room for 64 ranges lies in the value itself; nothing is allocated.
public struct AdviceBatch: Sendable {
  /// Ranges that a batch has room for.
  public static var capacity: Int { 64 }

  private var ranges = BoundedArray<AdvisedRange, 64>(
    filler: AdvisedRange(address: 0, byteCount: 0))
  // Bit i: range i was refused.
  private var refused: UInt64 = 0
  /// The first refusal; `nil` where there was none.
  public private(set) var firstRefusal: SysMemError?

  /// An empty batch.
  public init() {}

  /// How many ranges there are.
  public var count: Int { ranges.count }

  /// A range by its number.
  public subscript(index: Int) -> AdvisedRange {
    precondition(index >= 0 && index < count, "no range in the batch")
    return ranges[index]
  }

  /// Whether the kernel refused a range.
  public func isRefused(_ index: Int) -> Bool { refused &>> UInt64(index) & 1 != 0 }

  /// Adds a range.
  ///
  /// - Precondition: there is room for it.
  public mutating func append(_ range: AdvisedRange) {
    ranges.append(range)
  }

  /// Notes what came of a range.
  fileprivate mutating func refuse(_ index: Int, _ error: SysMemError) {
    refused |= 1 &<< UInt64(index)
    if firstRefusal == nil { firstRefusal = error }
  }

  /// How many ranges, from the first on, lie wholly in the first `byteCount` bytes.
  fileprivate func count(within byteCount: UInt) -> Int {
    var rest = byteCount
    var index = 0
    while index < count, ranges[index].byteCount <= rest {
      rest -= ranges[index].byteCount
      index += 1
    }
    return index
  }

  /// Hands the ranges to a body.
  fileprivate func advise(
    _ calls: any MemoryCalls, _ advice: MemoryAdvice
  ) throws(Errno) -> UInt {
    try calls.processMadvise(ranges.span, advice)
  }
}

extension SysMem {
  /// Tells the kernel about all ranges of a batch: by one call where the kernel allows it, else one
  /// by one.
  ///
  /// Changes no state and no statistics: what was not refused has been dealt with, and the caller
  /// says so by ``sysUnused(byteCount:)``.
  /// - Complexity: one call to the kernel where nothing is refused.
  public func advise(_ batch: inout AdviceBatch, _ advice: MemoryAdvice) {
    var done = 0
    var isListInDoubt = false
    if batch.count > 1, !isListRefused.load(ordering: .relaxed) {
      do throws(Errno) {
        done = batch.count(within: try batch.advise(calls, advice))
      } catch {
        // Either there is no such call, or not for us, or not for this advice (EINVAL on kernels
        // that let nobody take memory away), or the first range is refused. The last of them will
        // show.
        isListInDoubt = true
      }
    }
    for index in done..<batch.count {
      let range = batch[index]
      do throws(SysMemError) {
        let isPlain = try adviseTelling(range.address, range.byteCount, advice)
        // What is locked is refused by itself, too, if not for good.
        if !isPlain { isListInDoubt = false }
      } catch {
        batch.refuse(index, error)
      }
    }
    if isListInDoubt, batch.firstRefusal == nil { isListRefused.store(true, ordering: .relaxed) }
  }
}
