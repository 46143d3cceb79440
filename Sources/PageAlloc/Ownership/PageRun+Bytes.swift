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
  ///
  /// - Throws: what `body` throws.
  /// - Complexity: O(1), and what `body` takes.
  public mutating func withUnsafeMutableBytes<Result: ~Copyable, Failure: Error>(
    _ body: (UnsafeMutableRawBufferPointer) throws(Failure) -> Result
  ) throws(Failure) -> Result {
    unsafe try body(UnsafeMutableRawBufferPointer(start: base, count: byteCount))
  }

  /// Calls `body` with the memory, to be read, which must not be used afterwards.
  ///
  /// - Throws: what `body` throws.
  /// - Complexity: O(1), and what `body` takes.
  public func withUnsafeBytes<Result: ~Copyable, Failure: Error>(
    _ body: (UnsafeRawBufferPointer) throws(Failure) -> Result
  ) throws(Failure) -> Result {
    unsafe try body(UnsafeRawBufferPointer(start: base, count: byteCount))
  }
}

// MARK: - Copies

extension PageRun {
  /// Copies bytes into the run.
  ///
  /// - Parameters:
  ///   - source: what is copied, all of it.
  ///   - byteOffset: where in the run its first byte goes.
  /// - Precondition: it fits: `byteOffset` is 0 or more, and the last byte lies inside the run.
  /// - Complexity: O(bytes copied).
  public mutating func copyBytes(from source: RawSpan, toByteOffset byteOffset: Int = 0) {
    requireBytes(byteOffset, source.byteCount)
    // Inside the run, by the check; nobody else touches it meanwhile, so that they do not overlap.
    unsafe source.withUnsafeBytes { source in
      guard let start = source.baseAddress else { return }
      unsafe (base + byteOffset).copyMemory(from: start, byteCount: source.count)
    }
  }

  /// The same with the elements of a span, as they lie in memory.
  ///
  /// - Complexity: O(bytes copied).
  public mutating func copyBytes<Element: BitwiseCopyable>(
    from source: Span<Element>, toByteOffset byteOffset: Int = 0
  ) {
    // They are copied, padding and all, and not looked at.
    unsafe copyBytes(from: source.bytes, toByteOffset: byteOffset)
  }

  /// Copies bytes out of the run, as many as there is room for.
  ///
  /// - Parameters:
  ///   - byteOffset: where in the run the first of them lies.
  ///   - target: is filled.
  /// - Precondition: they lie inside the run; `byteOffset` is 0 or more.
  /// - Complexity: O(bytes copied).
  public func copyBytes(fromByteOffset byteOffset: Int = 0, into target: inout MutableRawSpan) {
    let count = target.byteCount
    requireBytes(byteOffset, count)
    // As above.
    unsafe target.withUnsafeMutableBytes { target in
      guard let start = target.baseAddress else { return }
      unsafe start.copyMemory(from: base + byteOffset, byteCount: count)
    }
  }

  /// The same, to be read as elements of which any bits are a value.
  ///
  /// - Complexity: O(bytes copied).
  public func copyBytes<Element: FullyInhabited & BitwiseCopyable>(
    fromByteOffset byteOffset: Int = 0, into target: inout MutableSpan<Element>
  ) {
    _ = Element.bitPatterns
    // By the promise.
    var bytes = unsafe target.mutableBytes
    copyBytes(fromByteOffset: byteOffset, into: &bytes)
  }

  private func requireBytes(_ offset: Int, _ count: Int) {
    precondition(
      offset >= 0 && offset <= byteCount && count <= byteCount - offset,
      "copyBytes: the bytes do not lie inside the run")
  }
}

// MARK: - Typed

extension PageRun {
  /// How many elements of a type fit.
  ///
  /// - Complexity: O(1).
  public func capacity<Element: BitwiseCopyable>(for type: Element.Type) -> Int {
    byteCount / MemoryLayout<Element>.stride
  }

  /// The memory as elements of a type of which any bits are a value, as an array shows them, to be
  /// read. What was never written is arbitrary.
  ///
  /// For other types there is ``unsafeElements(of:)``.
  ///
  /// - Parameter type: the element; aligned to a page at the most.
  /// - Complexity: O(1).
  @_lifetime(borrow self)
  public func elements<Element: FullyInhabited & BitwiseCopyable>(
    of type: Element.Type
  ) -> Span<Element> {
    _ = Element.bitPatterns
    // By the promise.
    return unsafe unsafeElements(of: type)
  }

  /// The same, to be read and written.
  ///
  /// For other types there is ``unsafeMutableElements(of:)``.
  ///
  /// - Complexity: O(1).
  @_lifetime(&self)
  public mutating func mutableElements<Element: FullyInhabited & BitwiseCopyable>(
    of type: Element.Type
  ) -> MutableSpan<Element> {
    _ = Element.bitPatterns
    // By the promise.
    return unsafe unsafeMutableElements(of: type)
  }

  /// The memory as elements of a trivial type, to be read.
  ///
  /// - Precondition: whatever is read holds a value of the type, since somebody wrote one there;
  ///   else what the program does is undefined.
  /// - Parameter type: the element; aligned to a page at the most.
  /// - Complexity: O(1).
  @unsafe @_lifetime(borrow self)
  public func unsafeElements<Element: BitwiseCopyable>(of type: Element.Type) -> Span<Element> {
    // Aligned to a page, as large as the count says, and trivial: bound for as long as the span is.
    let count = capacity(for: type)
    let start = unsafe base.assumingMemoryBound(to: type)
    let span = unsafe Span(_unsafeStart: UnsafePointer(start), count: count)
    return unsafe _overrideLifetime(span, borrowing: self)
  }

  /// The same, to be read and written.
  ///
  /// - Complexity: O(1).
  @unsafe @_lifetime(&self)
  public mutating func unsafeMutableElements<Element: BitwiseCopyable>(
    of type: Element.Type
  ) -> MutableSpan<Element> {
    // As above; nobody else touches the memory while the run is being changed.
    let count = capacity(for: type)
    let start = unsafe base.assumingMemoryBound(to: type)
    let span = unsafe MutableSpan(_unsafeStart: start, count: count)
    return unsafe _overrideLifetime(span, mutating: &self)
  }

  /// Fills the run with elements of a trivial type, from its start on.
  ///
  /// ```swift
  /// let count = run.initialize(of: Double.self) { output in
  ///   while !output.isFull { output.append(0.5) }
  /// }
  /// ```
  ///
  /// - Parameters:
  ///   - type: the element; aligned to a page at the most.
  ///   - body: appends elements, as many as there is room for at the most.
  /// - Returns: how many it appended.
  /// - Throws: what `body` throws; the contents are arbitrary then.
  /// - Complexity: O(1), and what `body` takes.
  public mutating func initialize<Element: BitwiseCopyable, Failure: Error>(
    of type: Element.Type, with body: (inout OutputSpan<Element>) throws(Failure) -> Void
  ) throws(Failure) -> Int {
    // As above.
    let buffer = unsafe UnsafeMutableBufferPointer(
      start: base.bindMemory(to: type, capacity: capacity(for: type)), count: capacity(for: type))
    var output = unsafe OutputSpan(buffer: buffer, initializedCount: 0)
    try body(&output)
    return unsafe output.finalize(for: buffer)
  }

  /// Calls `body` with the memory bound to a trivial type.
  ///
  /// - Throws: what `body` throws.
  /// - Complexity: O(1), and what `body` takes.
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
