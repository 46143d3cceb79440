import CSysMem
import PageAlloc
import SysMem

// What is possible at all
// =======================
//
// No allocator is faster than one that does nothing else than what a workload asks for:
//
//   FloorContender     stacks of runs by size: no owner is known, nothing is checked or joined
//   WrappingContender  for runs that somebody else frees: address after address, round and round
//   PlannedContender   for a recording: the addresses at which ours put its runs, told beforehand
//
// Memory is faulted as cheaply as the kernel can, by huge pages where it has them, and goes back
// only where a workload asks for that.

/// Address space with memory behind it.
private func mapped(_ byteCount: UInt) -> UInt? {
  let result = csm_mmap(0, byteCount, PROT_READ | PROT_WRITE, 0, 1)
  if result.error != 0 { return nil }
  _ = csm_madvise(result.value, byteCount, MADV_HUGEPAGE)
  return result.value
}

/// Stacks of runs by size, for one thread.
@safe
final class FloorContender: Contender {
  /// So much address space: 16 GiB, or 1 GiB where that is much.
  private static let pageCount = UInt.bitWidth == 64 ? 1 << 21 : 1 << 17
  private static let longest = 1 << 17

  private let space: PageSpace
  /// By a run's pages: the first free run of that size; 0 for none. Then by a run's first page: the
  /// next one of its size.
  private let heads: UnsafeMutablePointer<UInt32>
  private let links: UnsafeMutablePointer<UInt32>
  private var nextPage = 1

  /// - Returns: `nil` where the kernel refuses the address space.
  init?() {
    let tables = UInt(4 * (Self.longest + 1 + Self.pageCount))
    let pages: UInt = PageSpace.byteCount(of: Self.pageCount)
    guard let memory = mapped(pages), let table = mapped(tables),
      let pointer = unsafe UnsafeMutablePointer<UInt32>(bitPattern: table)
    else { return nil }
    space = PageSpace(base: memory)
    unsafe heads = pointer
    unsafe links = pointer + (Self.longest + 1)
  }

  deinit {
    _ = csm_munmap(space.base, PageSpace.byteCount(of: Self.pageCount))
    _ = unsafe csm_munmap(
      UInt(bitPattern: heads), UInt(4 * (Self.longest + 1 + Self.pageCount)))
  }

  /// The workloads ask for 1 ... 131,072 pages, and free what they got: so below.
  @inline(__always)
  func allocate(_ pages: Int) -> UInt {
    let first = unsafe heads[pages]
    if first == 0 { return allocateFresh(pages, aligned: 1) }
    unsafe heads[pages] = links[Int(first)]
    return space.address(of: Int(first))
  }

  @inline(__always)
  func allocateZeroed(_ pages: Int) -> UInt {
    let run = allocate(pages)
    if let pointer = unsafe UnsafeMutableRawPointer(bitPattern: run) {
      unsafe pointer.initializeMemory(
        as: UInt8.self, repeating: 0, count: PageSpace.byteCount(of: pages))
    }
    return run
  }

  /// All runs of a workload have one alignment.
  @inline(__always)
  func allocate(_ pages: Int, alignment: Int) -> UInt {
    let first = unsafe heads[pages]
    if first == 0 { return allocateFresh(pages, aligned: alignment >> Geometry.pageShift) }
    unsafe heads[pages] = links[Int(first)]
    return space.address(of: Int(first))
  }

  @inline(__always)
  func free(_ base: UInt, _ pages: Int) {
    let page = space.page(at: base)
    unsafe links[page] = heads[pages]
    unsafe heads[pages] = UInt32(truncatingIfNeeded: page)
  }

  @inline(never)
  private func allocateFresh(_ pages: Int, aligned alignment: Int) -> UInt {
    let phase = Int(space.base >> UInt(Geometry.pageShift)) & (alignment - 1)
    let page = (nextPage + phase + alignment - 1) & ~(alignment - 1) - phase
    if page + pages > Self.pageCount { return 0 }
    nextPage = page + pages
    return space.address(of: page)
  }

  func release() {
    _ = csm_madvise(space.base, PageSpace.byteCount(of: nextPage), MADV_DONTNEED)
  }

  func ofThread() -> FloorContender { FloorContender() ?? self }
}

/// Single pages, one after another, round and round: whoever gets one has freed it long before it
/// comes again.
final class WrappingContender: Contender {
  private static let pageCount = 1 << 16

  private let base: UInt
  private var page = 0

  /// - Returns: `nil` where the kernel refuses the address space.
  init?() {
    guard let memory = mapped(PageSpace.byteCount(of: Self.pageCount)) else { return nil }
    base = memory
  }

  deinit { _ = csm_munmap(base, PageSpace.byteCount(of: Self.pageCount)) }

  @inline(__always)
  func allocate(_ pages: Int) -> UInt {
    page = (page &+ 1) & (Self.pageCount &- 1)
    return PageSpace(base: base).address(of: page)
  }

  func allocateZeroed(_ pages: Int) -> UInt { 0 }
  func allocate(_ pages: Int, alignment: Int) -> UInt { 0 }
  @inline(__always)
  func free(_ base: UInt, _ pages: Int) {}
}

/// Addresses that were told beforehand, in the order in which they are asked for.
@safe
final class PlannedContender: Contender {
  private let base: UInt
  private let byteCount: UInt
  private let offsets: [UInt]
  private var next = 0

  /// - Parameter addresses: of one place; they are moved to fresh memory.
  /// - Returns: `nil` where the kernel refuses the address space.
  init?(_ addresses: [UInt], byteCounts: [UInt]) {
    // From a multiple of the size of a huge page on, as there.
    let lowest = (addresses.min() ?? 0) & ~0x1f_ffff
    byteCount = zip(addresses, byteCounts).reduce(1 << 21) { max($0, $1.0 + $1.1 - lowest) }
    guard let memory = mapped(byteCount + 1 << 21) else { return nil }
    base = memory
    let start = (memory + 0x1f_ffff) & ~0x1f_ffff
    offsets = addresses.map { start + ($0 - lowest) }
  }

  deinit { _ = csm_munmap(base, byteCount + 1 << 21) }

  @inline(__always)
  func allocate(_ pages: Int) -> UInt {
    let address = offsets[next]
    next &+= 1
    return address
  }

  func allocateZeroed(_ pages: Int) -> UInt { 0 }
  func allocate(_ pages: Int, alignment: Int) -> UInt { 0 }
  @inline(__always)
  func free(_ base: UInt, _ pages: Int) {}
  var freesParts: Bool { true }
}
