/// What the standard library offers: `UnsafeMutableRawPointer.allocate`.
struct SwiftContender: Contender {
  @inline(__always)
  func allocate(_ pages: Int) -> UInt { allocate(pages, alignment: 1 << pageShift) }

  /// Allocated and cleared by hand; there is no other way.
  @inline(__always)
  func allocateZeroed(_ pages: Int) -> UInt {
    let byteCount = pages << pageShift
    // The memory was just handed out, all `byteCount` bytes of it.
    let pointer = UnsafeMutableRawPointer.allocate(
      byteCount: byteCount, alignment: 1 << pageShift)
    unsafe pointer.initializeMemory(as: UInt8.self, repeating: 0, count: byteCount)
    return UInt(bitPattern: pointer)
  }

  @inline(__always)
  func allocate(_ pages: Int, alignment: Int) -> UInt {
    UInt(
      bitPattern: UnsafeMutableRawPointer.allocate(
        byteCount: pages << pageShift, alignment: alignment))
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
  func allocate(_ pages: Int) -> UInt { UInt(pages) << UInt(pageShift) }
  func allocateZeroed(_ pages: Int) -> UInt { allocate(pages) }
  func allocate(_ pages: Int, alignment: Int) -> UInt { allocate(pages) }
  @inline(never)
  func free(_ base: UInt, _ pages: Int) {}
}
