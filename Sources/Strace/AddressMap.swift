/// What the ranges of an address space are: segments in the order of their addresses, none over
/// another. What lies between them is not mapped, or was before the recording began.
struct AddressMap {
  struct Segment {
    var range: Range<UInt64>
    var use: Use
  }

  enum Use: Equatable {
    /// Memory of a run of the trace.
    case run(Int)
    /// Anonymous, without access: it may become memory.
    case reserved
    /// A file, shared memory, or what was left out.
    case other
  }

  private(set) var segments: [Segment] = []

  /// Adds a segment where none is.
  mutating func insert(_ range: Range<UInt64>, _ use: Use) {
    if range.isEmpty { return }
    segments.insert(Segment(range: range, use: use), at: firstIndex(endingAfter: range.lowerBound))
  }

  /// The segments in a range, cut to it.
  func parts(in range: Range<UInt64>) -> [Segment] {
    var parts: [Segment] = []
    var index = firstIndex(endingAfter: range.lowerBound)
    while index < segments.count, segments[index].range.lowerBound < range.upperBound {
      let part = segments[index].range.clamped(to: range)
      parts.append(Segment(range: part, use: segments[index].use))
      index += 1
    }
    return range.isEmpty ? [] : parts
  }

  /// Takes what is in a range out of the map.
  ///
  /// - Returns: what was there, cut to the range.
  @discardableResult
  mutating func remove(_ range: Range<UInt64>) -> [Segment] {
    let parts = parts(in: range)
    guard let first = parts.first, let last = parts.last else { return [] }
    let index = firstIndex(endingAfter: range.lowerBound)
    var rest: [Segment] = []
    let before = segments[index].range.lowerBound..<first.range.lowerBound
    if !before.isEmpty { rest.append(Segment(range: before, use: first.use)) }
    let after = last.range.upperBound..<segments[index + parts.count - 1].range.upperBound
    if !after.isEmpty { rest.append(Segment(range: after, use: last.use)) }
    segments.replaceSubrange(index..<index + parts.count, with: rest)
    return parts
  }

  /// The segment around an address.
  func segment(at address: UInt64) -> Segment? {
    let index = firstIndex(endingAfter: address)
    guard index < segments.count, segments[index].range.contains(address) else { return nil }
    return segments[index]
  }

  /// The index of the first segment that ends after an address, or the number of segments.
  private func firstIndex(endingAfter address: UInt64) -> Int {
    var low = 0
    var high = segments.count
    while low < high {
      let middle = low + (high - low) / 2
      if segments[middle].range.upperBound > address { high = middle } else { low = middle + 1 }
    }
    return low
  }
}
