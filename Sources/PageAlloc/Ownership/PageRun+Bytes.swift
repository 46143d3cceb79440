// The memory of a run: as spans, whose lifetime the compiler checks against the run's, and as
// pointers for those who need them.

extension PageRun {
  /// The memory, to be read.
  public var bytes: RawSpan {
    @_lifetime(borrow self)
    get {
      // The run's own pages; nobody else writes to them while the run is borrowed.
      let span = unsafe RawSpan(_unsafeStart: base, byteCount: byteCount)
      return unsafe _overrideLifetime(span, borrowing: self)
    }
  }

  /// The memory, to be read and written.
  public var mutableBytes: MutableRawSpan {
    @_lifetime(&self)
    mutating get {
      // The run's own pages; nobody else touches them while the run is being changed.
      let span = unsafe MutableRawSpan(_unsafeStart: base, byteCount: byteCount)
      return unsafe _overrideLifetime(span, mutating: &self)
    }
  }

  /// Calls `body` with the memory, which must not be used afterwards.
  public mutating func withUnsafeMutableBytes<Result: ~Copyable, Failure: Error>(
    _ body: (UnsafeMutableRawBufferPointer) throws(Failure) -> Result
  ) throws(Failure) -> Result {
    unsafe try body(UnsafeMutableRawBufferPointer(start: base, count: byteCount))
  }

  /// Calls `body` with the memory, to be read, which must not be used afterwards.
  public func withUnsafeBytes<Result: ~Copyable, Failure: Error>(
    _ body: (UnsafeRawBufferPointer) throws(Failure) -> Result
  ) throws(Failure) -> Result {
    unsafe try body(UnsafeRawBufferPointer(start: base, count: byteCount))
  }
}

// MARK: - Typed

extension PageRun {
  /// How many elements of a type fit.
  public func capacity<Element: BitwiseCopyable>(for type: Element.Type) -> Int {
    byteCount / MemoryLayout<Element>.stride
  }

  /// The memory as elements of a trivial type, as an array shows them, to be read.
  ///
  /// - Precondition: any bits make an `Element`, as with numbers; what was never written is
  ///   arbitrary.
  /// - Parameter type: the element; aligned to a page at the most.
  @_lifetime(borrow self)
  public func elements<Element: BitwiseCopyable>(of type: Element.Type) -> Span<Element> {
    // Aligned to a page, as large as the count says, and trivial: bound for as long as the span is.
    let count = capacity(for: type)
    let start = unsafe base.assumingMemoryBound(to: type)
    let span = unsafe Span(_unsafeStart: UnsafePointer(start), count: count)
    return unsafe _overrideLifetime(span, borrowing: self)
  }

  /// The memory as elements of a trivial type, as an array shows them, to be read and written.
  ///
  /// - Precondition: any bits make an `Element`, as with numbers; what was never written is
  ///   arbitrary.
  /// - Parameter type: the element; aligned to a page at the most.
  @_lifetime(&self)
  public mutating func mutableElements<Element: BitwiseCopyable>(
    of type: Element.Type
  ) -> MutableSpan<Element> {
    // As above; nobody else touches the memory while the run is being changed.
    let count = capacity(for: type)
    let start = unsafe base.assumingMemoryBound(to: type)
    let span = unsafe MutableSpan(_unsafeStart: start, count: count)
    return unsafe _overrideLifetime(span, mutating: &self)
  }

  /// Calls `body` with the memory bound to a trivial type.
  public mutating func withMemoryBound<Element: BitwiseCopyable, Result: ~Copyable, Failure: Error>(
    to type: Element.Type,
    _ body: (UnsafeMutableBufferPointer<Element>) throws(Failure) -> Result
  ) throws(Failure) -> Result {
    // Trivial elements: binding to them anew changes no value and ends none.
    let count = capacity(for: type)
    let start = unsafe base.bindMemory(to: type, capacity: count)
    return unsafe try body(UnsafeMutableBufferPointer(start: start, count: count))
  }
}
