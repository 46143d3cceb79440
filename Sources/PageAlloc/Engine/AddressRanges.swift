/// Sorted ranges that neither overlap nor touch: what is added is joined to its neighbours.
///
/// Half-open, in whatever unit the owner counts; the allocator keeps pages, so that the end of the
/// 32-bit space fits a word of 32 bits.
@safe
package struct AddressRanges<Bound: FixedWidthInteger & UnsignedInteger> {
  // Invariant: elements 0 ..< count are initialised; the storage outlives the list.
  private let storage: UnsafeMutablePointer<Range<Bound>>
  /// The most ranges that there may be.
  package let capacity: Int
  /// How many ranges there are.
  package private(set) var count = 0
  /// The sum of their sizes.
  package private(set) var total: Bound = 0

  /// An empty list, which holds at most as many ranges as `storage` has room for.
  package init(storage: UnsafeMutableBufferPointer<Range<Bound>>) {
    capacity = storage.count
    // No range is read before it was written.
    unsafe self.storage = storage.baseAddress.unsafelyUnwrapped
  }

  /// A range by its place in the order.
  package subscript(index: Int) -> Range<Bound> {
    precondition(index >= 0 && index < count)
    // Initialised, by the precondition.
    return unsafe storage[index]
  }

  private func put(_ range: Range<Bound>, at index: Int) {
    precondition(index >= 0 && index < capacity, "no room for another range")
    // In the storage; a range has nothing that would have to end.
    unsafe (storage + index).initialize(to: range)
  }

  /// The place of the first range that starts above `bound`; `count` where none does.
  ///
  /// - Complexity: O(log `count`).
  package func indexOfSuccessor(_ bound: Bound) -> Int {
    var low = 0
    var high = count
    while low < high {
      let middle = (low + high) / 2
      if self[middle].lowerBound > bound { high = middle } else { low = middle + 1 }
    }
    return low
  }

  /// Whether a range covers `bound`.
  ///
  /// - Complexity: O(log `count`).
  package func contains(_ bound: Bound) -> Bool {
    let index = indexOfSuccessor(bound)
    return index > 0 && self[index - 1].contains(bound)
  }

  /// The lowest covered value that is not below `bound`; `nil` where there is none.
  ///
  /// - Complexity: O(log `count`).
  package func lowest(atLeast bound: Bound) -> Bound? {
    let index = indexOfSuccessor(bound)
    if index > 0, self[index - 1].contains(bound) { return bound }
    return index < count ? self[index].lowerBound : nil
  }

  /// Adds a range, joined to the ranges it touches.
  ///
  /// - Precondition: it is not empty, overlaps no range, and there is room for one more.
  /// - Complexity: O(`count`).
  package mutating func add(_ range: Range<Bound>) {
    precondition(!range.isEmpty, "an empty range covers nothing")
    let index = indexOfSuccessor(range.lowerBound)
    precondition(index == 0 || self[index - 1].upperBound <= range.lowerBound, "ranges overlap")
    precondition(index == count || range.upperBound <= self[index].lowerBound, "ranges overlap")
    let joinsBelow = index > 0 && self[index - 1].upperBound == range.lowerBound
    let joinsAbove = index < count && self[index].lowerBound == range.upperBound
    total += range.upperBound - range.lowerBound
    switch (joinsBelow, joinsAbove) {
    case (true, true):
      put(self[index - 1].lowerBound..<self[index].upperBound, at: index - 1)
      removeElement(index)
    case (true, false):
      put(self[index - 1].lowerBound..<range.upperBound, at: index - 1)
    case (false, true):
      put(range.lowerBound..<self[index].upperBound, at: index)
    case (false, false):
      insertElement(index, range)
    }
  }

  /// Cuts up to `size` off the top of the last range.
  ///
  /// - Returns: what was cut, at most the whole last range; `nil` where the list is empty.
  package mutating func removeLast(_ size: Bound) -> Range<Bound>? {
    if count == 0 { return nil }
    let last = self[count - 1]
    let length = last.upperBound - last.lowerBound
    if size >= length {
      count -= 1
      total -= length
      return last
    }
    let cut = last.upperBound - size
    put(last.lowerBound..<cut, at: count - 1)
    total -= size
    return cut..<last.upperBound
  }

  /// Removes all that is not below `bound`.
  package mutating func removeAll(from bound: Bound) {
    while count > 0 {
      let last = self[count - 1]
      if last.upperBound <= bound { return }
      let kept = max(last.lowerBound, bound)
      total -= last.upperBound - kept
      if kept > last.lowerBound {
        put(last.lowerBound..<kept, at: count - 1)
        return
      }
      count -= 1
    }
  }

  private mutating func insertElement(_ index: Int, _ range: Range<Bound>) {
    precondition(count < capacity, "no room for another range")
    var position = count
    while position > index {
      put(self[position - 1], at: position)
      position -= 1
    }
    put(range, at: index)
    count += 1
  }

  private mutating func removeElement(_ index: Int) {
    for position in index..<(count - 1) { put(self[position + 1], at: position) }
    count -= 1
  }
}
