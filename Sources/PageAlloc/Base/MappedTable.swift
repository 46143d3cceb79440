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
}
