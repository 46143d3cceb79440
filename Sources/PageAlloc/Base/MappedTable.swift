/// A table in mapped memory: values of one type, one behind the other. It is a view, whose copies
/// see the same values.
///
/// Who makes one promises the memory, once; an index that is out of range traps.
@safe
package struct MappedTable<Element: BitwiseCopyable> {
  // Invariant: so many values, which outlive the view. Who may change them, the owner's lock says.
  private let base: UnsafeMutablePointer<Element>
  package let count: Int

  /// The table at an address.
  ///
  /// - Precondition: that many values lie there, or zeroes that are such values.
  @unsafe @inline(__always)
  package init(at address: UInt, count: Int) {
    guard let memory = unsafe UnsafeMutableRawPointer(bitPattern: address) else {
      corrupted("a table lies at address 0")
    }
    unsafe base = memory.bindMemory(to: Element.self, capacity: count)
    self.count = count
  }

  /// A value by its place.
  package subscript(index: Int) -> Element {
    @inline(__always) unsafeAddress {
      precondition(index >= 0 && index < count)
      return unsafe UnsafePointer(base + index)
    }
    @inline(__always) nonmutating unsafeMutableAddress {
      precondition(index >= 0 && index < count)
      return unsafe base + index
    }
  }

  /// Gives all values of a range one value.
  ///
  /// - Complexity: O(values in it), as fast as memory is written.
  package func fill(_ range: Range<Int>, with value: Element) {
    precondition(range.lowerBound >= 0 && range.upperBound <= count)
    unsafe (base + range.lowerBound).update(repeating: value, count: range.count)
  }
}

extension MappedTable where Element: Equatable {
  /// The values from `first` on that equal it, below `limit`.
  ///
  /// - Complexity: O(values in it).
  package func equals(from first: Int, below limit: Int) -> Range<Int> {
    precondition(first >= 0 && first < limit && limit <= count)
    let value = unsafe base[first]
    var end = first + 1
    while end < limit, unsafe base[end] == value { end += 1 }
    return first..<end
  }
}
