import PageAlloc

/// What the standard library offers: `UnsafeMutableRawPointer.allocate`.
struct SwiftContender: Contender {
  @inline(__always)
  func allocate(_ pages: Int) -> UInt { allocate(pages, alignment: PageArena.pageSize) }

  /// Allocated and cleared by hand; there is no other way.
  @inline(__always)
  func allocateZeroed(_ pages: Int) -> UInt {
    let byteCount: Int = PageSpace.byteCount(of: pages)
    // The memory was just handed out, all `byteCount` bytes of it.
    let pointer = UnsafeMutableRawPointer.allocate(
      byteCount: byteCount, alignment: PageArena.pageSize)
    unsafe pointer.initializeMemory(as: UInt8.self, repeating: 0, count: byteCount)
    return UInt(bitPattern: pointer)
  }

  @inline(__always)
  func allocate(_ pages: Int, alignment: Int) -> UInt {
    UInt(
      bitPattern: UnsafeMutableRawPointer.allocate(
        byteCount: PageSpace.byteCount(of: pages), alignment: alignment))
  }

  @inline(__always)
  func free(_ base: UInt, _ pages: Int) {
    // The caller hands over what `allocate` gave it.
    unsafe UnsafeMutableRawPointer(bitPattern: base)?.deallocate()
  }
}

/// Hands out the same number again and again: what the loops cost by themselves.
struct NullContender: Contender {
  @inline(never)
  func allocate(_ pages: Int) -> UInt { PageSpace.byteCount(of: pages) }
  func allocateZeroed(_ pages: Int) -> UInt { allocate(pages) }
  func allocate(_ pages: Int, alignment: Int) -> UInt { allocate(pages) }
  @inline(never)
  func free(_ base: UInt, _ pages: Int) {}
}
