/// Somebody who hands out pages: our arena, or a rival.
///
/// Addresses are plain numbers here, 0 for a refusal, so that the loops that measure hold no
/// pointers. All runs are aligned to 8,192 bytes: what a user of pages needs.
protocol Contender {
  /// Hands out `pages` × 8,192 bytes.
  func allocate(_ pages: Int) -> UInt

  /// The same, reading as zero. Rivals may answer with less alignment.
  func allocateZeroed(_ pages: Int) -> UInt

  /// The same as ``allocate(_:)`` at a multiple of `alignment` bytes.
  func allocate(_ pages: Int, alignment: Int) -> UInt

  /// Takes a whole run back.
  func free(_ base: UInt, _ pages: Int)

  /// Takes back what ``allocateZeroed(_:)`` gave.
  func freeZeroed(_ base: UInt, _ pages: Int)

  /// Gives idle memory back to the kernel, as far as the contender has a call for that.
  func release()

  /// The one that a thread of its own is to use.
  func ofThread() -> Self

  /// Whether parts of a run may be freed.
  var freesParts: Bool { get }

  /// Whether what it hands out is written to where the workload says so.
  var writes: Bool { get }

  /// Bytes of bookkeeping; -1 where the contender does not say.
  var metadataBytes: Double { get }

  /// System calls so far; -1 where nobody counts.
  var systemCalls: Double { get }
}

extension Contender {
  @inline(__always)
  func freeZeroed(_ base: UInt, _ pages: Int) { free(base, pages) }
  func release() {}
  func ofThread() -> Self { self }
  var freesParts: Bool { false }
  var writes: Bool { true }
  var metadataBytes: Double { -1 }
  var systemCalls: Double { -1 }
}
