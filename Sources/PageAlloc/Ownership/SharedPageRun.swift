// A run with many owners
// ======================
//
//   SharedPageRun --+
//   SharedPageRun --+--> Owner (counted by Swift) --> PageRun
//   SharedPageRun --+
//
// The last one that goes frees the run. What is shared can only be read; who has it alone can
// write.

/// A run of pages that can be copied: to tasks, into streams, arrays and dictionaries.
///
/// The copies are one run, which is freed with the last of them. All of them can read it at any
/// time, so nobody can write to it, but while there is only one: ``withMutableBytesIfUnique(_:)``.
///
/// ```swift
/// var run = try arena.allocateRun(pages: 4)
/// run.copyBytes(from: [1, 2, 3].span)
/// let shared = SharedPageRun(run)
/// let sum = Task { shared.bytes.byteCount }
/// ```
///
/// The copies share an object of Swift's, 64 bytes or so, from malloc.
@safe
public struct SharedPageRun: Sendable {
  private final class Owner: Sendable {
    let run: PageRun

    init(_ run: consuming PageRun) { self.run = run }
  }

  private var owner: Owner

  /// Shares a run, which nobody can write to while there are several references.
  ///
  /// - Complexity: O(1), and an allocation by `malloc`.
  public init(_ run: consuming PageRun) { owner = Owner(run) }

  /// How many pages of 8 KiB it has.
  public var pages: Int { owner.run.pages }

  /// Its size in bytes.
  public var byteCount: Int { owner.run.byteCount }

  /// The address of its first byte.
  public var address: UInt { owner.run.address }

  /// Where it lies in its arena, as ``PageRun/offset``.
  public var offset: UInt32 { owner.run.offset }

  /// The memory, to be read.
  public var bytes: RawSpan {
    @_lifetime(borrow self)
    get {
      // Nobody writes while there is this reference, and the memory lives as long as it.
      let span = unsafe RawSpan(
        _unsafeStart: UnsafeRawPointer(bitPattern: address).unsafelyUnwrapped,
        byteCount: byteCount)
      return unsafe _overrideLifetime(span, borrowing: self)
    }
  }

  /// The memory as elements, as ``PageRun/elements(of:)``.
  ///
  /// - Complexity: O(1).
  @_lifetime(borrow self)
  public func elements<Element: FullyInhabited & BitwiseCopyable>(
    of type: Element.Type
  ) -> Span<Element> {
    _ = Element.bitPatterns
    // As above, and by the promise.
    let start = unsafe UnsafePointer<Element>(bitPattern: address).unsafelyUnwrapped
    let span = unsafe Span(
      _unsafeStart: start, count: byteCount / MemoryLayout<Element>.stride)
    return unsafe _overrideLifetime(span, borrowing: self)
  }

  /// Whether there is no other reference to the run now.
  ///
  /// Where there is none, none can come about elsewhere.
  ///
  /// - Complexity: O(1).
  public mutating func isUnique() -> Bool { isKnownUniquelyReferenced(&owner) }

  /// Calls `body` with the memory, to be written to, if there is no other reference to it.
  ///
  /// ```swift
  /// var shared = SharedPageRun(try arena.allocateRun(pages: 1))
  /// shared.withMutableBytesIfUnique { bytes in bytes.storeBytes(of: 42, as: Int.self) }
  /// ```
  ///
  /// - Returns: what `body` returns; `nil`, without a call, where somebody else has the run, too.
  /// - Throws: what `body` throws.
  /// - Complexity: O(1), and what `body` takes.
  public mutating func withMutableBytesIfUnique<Result, Failure: Error>(
    _ body: (inout MutableRawSpan) throws(Failure) -> Result
  ) throws(Failure) -> Result? {
    if !isUnique() { return nil }
    // Nobody else can get at it while this reference is being changed.
    let start = unsafe UnsafeMutableRawPointer(bitPattern: address).unsafelyUnwrapped
    var bytes = unsafe MutableRawSpan(_unsafeStart: start, byteCount: byteCount)
    return try body(&bytes)
  }
}
