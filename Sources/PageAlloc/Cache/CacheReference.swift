/// A cache, by its address: what its owner holds, and what the list of an arena's caches is made
/// of.
///
/// Safe, since a cache's memory is unmapped at the arena's end alone, which waits for whoever
/// refers to it; and who may change the contents is what the cache's protocol says (see RunCache),
/// not the compiler.
@usableFromInline
@safe
package struct CacheReference {
  // Invariant: the address of a cache that is initialized.
  @usableFromInline let pointer: UnsafeMutablePointer<RunCache>

  /// The cache at an address of the caller's.
  package init(_ pointer: UnsafeMutablePointer<RunCache>) { unsafe self.pointer = pointer }

  /// The cache at an address that ``address`` gave; `nil` for 0.
  @inlinable @inline(__always)
  init?(address: UInt) {
    guard let pointer = unsafe UnsafeMutablePointer<RunCache>(bitPattern: address) else {
      return nil
    }
    unsafe self.pointer = pointer
  }

  /// The cache at an address that ``address`` gave.
  @inlinable @inline(__always)
  init(known address: UInt) {
    unsafe pointer = UnsafeMutablePointer<RunCache>(bitPattern: address).unsafelyUnwrapped
  }

  /// Puts a cache into memory that was just mapped for it.
  init(_ cache: consuming RunCache, at address: UInt) {
    guard let pointer = unsafe UnsafeMutablePointer<RunCache>(bitPattern: address) else {
      corrupted("the kernel mapped a cache at address 0")
    }
    // Just mapped, for this alone.
    unsafe pointer.initialize(to: cache)
    unsafe self.pointer = pointer
  }

  /// Where it lies.
  package var address: UInt { unsafe UInt(bitPattern: pointer) }

  /// All of it, for who may touch it.
  @inlinable
  package var contents: RunCache {
    @_transparent unsafeAddress { unsafe UnsafePointer(pointer) }
    @_transparent nonmutating unsafeMutableAddress { unsafe pointer }
  }

  /// The front: an access to it is none to the rest.
  @inlinable
  package var front: CacheFront {
    @_transparent unsafeAddress {
      // The last field.
      unsafe (UnsafeRawPointer(pointer) + RunCache.frontOffset)
        .assumingMemoryBound(to: CacheFront.self)
    }
  }
}

extension CacheReference: Equatable {
  @usableFromInline
  package static func == (one: CacheReference, other: CacheReference) -> Bool {
    one.address == other.address
  }
}
