import PageAlloc

/// Frames of ours, by the public calls of ``PageSlab``; addresses are plain numbers here, too.
struct SlabContender {
  private let slab: PageSlab

  /// A slab in an arena of 4 GiB of which nothing depends on how long anything takes; `nil` where
  /// the kernel refuses.
  init?(_ frameByteCount: Int) {
    var options = PageArena.Options()
    options.scavenging = .manual
    options.hugePages = .system
    guard let arena = try? PageArena(options),
      let slab = try? PageSlab(frameByteCount: frameByteCount, in: arena)
    else { return nil }
    self.slab = slab
  }

  /// Hands out a frame; 0 for a refusal.
  @inline(__always)
  func allocate() -> UInt {
    // Nothing is read or written through the pointer here.
    unsafe UInt(bitPattern: try? slab.allocate())
  }

  /// Takes a frame back.
  @inline(__always)
  func free(_ address: UInt) {
    // The caller hands over what `allocate` gave it, which was no refusal.
    guard let pointer = unsafe UnsafeMutableRawPointer(bitPattern: address) else { return }
    do throws(PageArenaError) {
      unsafe try slab.deallocate(pointer)
    } catch {
      fatalError("the benchmark frees what it did not get")
    }
  }
}
