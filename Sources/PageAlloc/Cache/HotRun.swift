import Synchronization

/// The run that was freed last, in a place of its own: taking it and putting it back, the commonest
/// pair of calls, looks at one word and changes it.
///
/// In the bits of its address that are within a page stand its pages. Where there is none, these
/// alone are there, of the run that was there last:
///
///   0x7f3a_4000_6000 | 16     16 pages at that address
///                  0 | 16     none; room for 16 pages
///                  0 | 0x1fff none, and there was none
///
/// Written by who may touch the cache that it is in; read by the statistics at any time.
@usableFromInline
struct HotRun: ~Copyable {
  @usableFromInline let word = Atomic<UInt>(pageBits)

  init() {}

  /// Where the pages stand. All bits of it are no length of a run.
  @inlinable @inline(__always)
  static var pageBits: UInt { PageSpace.bitsInPage }
}
