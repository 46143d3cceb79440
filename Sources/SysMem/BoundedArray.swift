/// A list in the value itself, of at most `capacity` elements: nothing is allocated.
///
/// For lists that are made under a lock, in a signal handler, or in mapped memory. The places
/// beyond the last element keep what was there before: an element may live on after it was removed,
/// which is the same to one that is nothing but bits.
@usableFromInline
package struct BoundedArray<Element, let capacity: Int> {
  @usableFromInline var storage: InlineArray<capacity, Element>
  /// How many elements there are.
  @usableFromInline package private(set) var count = 0

  /// A list of nothing.
  ///
  /// - Parameter filler: what the places hold until there are elements; it is never seen.
  @inlinable @inline(__always)
  package init(filler: Element) { storage = InlineArray(repeating: filler) }

  /// Whether there is no element.
  @inlinable @inline(__always)
  package var isEmpty: Bool { count == 0 }

  /// Whether there is no room for another element.
  @inlinable @inline(__always)
  package var isFull: Bool { count == capacity }

  /// An element by its place.
  @inlinable @inline(__always)
  package subscript(index: Int) -> Element {
    // In range, by the assertions. A checked access would copy the whole array to read from it.
    get {
      assert(index >= 0 && index < count)
      return unsafe storage[unchecked: index]
    }
    set {
      assert(index >= 0 && index < count)
      unsafe storage[unchecked: index] = newValue
    }
  }

  /// The elements.
  package var span: Span<Element> {
    @inlinable
    @_lifetime(borrow self)
    get { storage.span.extracting(0..<count) }
  }
}

// MARK: - Changes

extension BoundedArray {
  /// Adds an element at the end.
  ///
  /// - Precondition: the list is not full.
  @inlinable @inline(__always)
  package mutating func append(_ element: Element) {
    precondition(!isFull, "the list is full")
    count &+= 1
    self[count &- 1] = element
  }

  /// Puts an element at a place; it and those after it move up by one.
  ///
  /// - Precondition: the list is not full, and the place is at most its end.
  @inlinable
  package mutating func insert(_ element: Element, at index: Int) {
    precondition(!isFull, "the list is full")
    precondition(index >= 0 && index <= count, "no place in the list")
    count &+= 1
    var place = count &- 1
    while place > index {
      self[place] = self[place &- 1]
      place &-= 1
    }
    self[index] = element
  }

  /// Takes the last element away.
  ///
  /// - Precondition: there is one.
  @inlinable @inline(__always) @discardableResult
  package mutating func removeLast() -> Element {
    precondition(!isEmpty, "the list is empty")
    let last = self[count &- 1]
    count &-= 1
    return last
  }

  /// Takes an element away; those after it move down by one, in order.
  ///
  /// - Precondition: there is an element at the place.
  @inlinable @discardableResult
  package mutating func remove(at index: Int) -> Element {
    precondition(index >= 0 && index < count, "no element in the list")
    let removed = self[index]
    var place = index
    while place &+ 1 < count {
      self[place] = self[place &+ 1]
      place &+= 1
    }
    count &-= 1
    return removed
  }

  /// Takes all elements away.
  @inlinable @inline(__always)
  package mutating func removeAll() { count = 0 }

  /// Adds what a body writes, from the first vacant place on.
  ///
  /// - Parameter body: is given the vacant places, and returns how many of them it has written.
  @inlinable
  package mutating func append(
    writing body: (UnsafeMutableBufferPointer<Element>) -> Int
  ) {
    let start = count
    var places = storage.mutableSpan
    // All places hold a value, be it the filler.
    let written = unsafe places.withUnsafeMutableBufferPointer {
      unsafe body(UnsafeMutableBufferPointer(rebasing: $0[start...]))
    }
    precondition(written >= 0 && written <= capacity - start, "more was written than there is room")
    count = start + written
  }
}

extension BoundedArray: Sendable where Element: Sendable {}

extension BoundedArray: BitwiseCopyable where Element: BitwiseCopyable {}
