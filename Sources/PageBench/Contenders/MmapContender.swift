import CSysMem
import PageAlloc

/// One `mmap` and one `munmap` a run: what it costs without an allocator.
///
/// The kernel aligns to its own page, which may be less than 8,192 bytes.
struct MmapContender: Contender {
  @inline(__always)
  func allocate(_ pages: Int) -> UInt {
    let result = csm_mmap(0, PageSpace.byteCount(of: pages), PROT_READ | PROT_WRITE, 0, 1)
    return result.error == 0 ? result.value : 0
  }

  @inline(__always)
  func allocateZeroed(_ pages: Int) -> UInt { allocate(pages) }

  /// Refused: `mmap` knows no alignment.
  func allocate(_ pages: Int, alignment: Int) -> UInt { 0 }

  @inline(__always)
  func free(_ base: UInt, _ pages: Int) { _ = csm_munmap(base, PageSpace.byteCount(of: pages)) }

  var freesParts: Bool { true }
}
