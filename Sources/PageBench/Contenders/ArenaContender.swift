import PageAlloc
import SysMem
import Synchronization

/// Ours, by the public calls of ``PageArena``.
struct ArenaContender: Contender {
  private let arena: PageArena
  private let calls: CountingCalls

  /// An arena of 4 GiB; `nil` where the kernel refuses.
  ///
  /// - Parameters:
  ///   - hugePages: what the arena asks of the kernel.
  ///   - isTimeless: nothing it does depends on how long anything takes, for counting instructions.
  init?(hugePages: HugePages = .automatic, isTimeless: Bool = false) {
    calls = CountingCalls()
    var options = PageArena.Options(calls: calls)
    options.hugePages = hugePages
    if isTimeless {
      options.scavenging = .manual
      options.hugePages = .system
    }
    guard let arena = try? PageArena(options) else { return nil }
    self.arena = arena
  }

  @inline(__always)
  func allocate(_ pages: Int) -> UInt {
    // Nothing is read or written through the pointer here.
    unsafe UInt(bitPattern: try? arena.allocate(pages: pages))
  }

  @inline(__always)
  func allocateZeroed(_ pages: Int) -> UInt {
    // As above.
    unsafe UInt(bitPattern: try? arena.allocate(pages: pages, zeroed: true))
  }

  @inline(__always)
  func allocate(_ pages: Int, alignment: Int) -> UInt {
    // As above.
    unsafe UInt(bitPattern: try? arena.allocate(pages: pages, alignment: alignment))
  }

  @inline(__always)
  func free(_ base: UInt, _ pages: Int) {
    // The caller hands over what `allocate` gave it, which was no refusal.
    guard let pointer = unsafe UnsafeMutableRawPointer(bitPattern: base) else { return }
    do throws(PageArenaError) {
      unsafe try arena.deallocate(pointer, pages: pages)
    } catch {
      fatalError("the benchmark frees what it did not get")
    }
  }

  func release() { _ = try? arena.releaseFreeMemory() }

  var freesParts: Bool { true }

  var metadataBytes: Double { Double(arena.statistics.metadataBytes) }

  var systemCalls: Double { Double(calls.count) }
}

/// The kernel, with a count of the calls made.
final class CountingCalls: MemoryCalls {
  private let linux = LinuxCalls()
  private let calls = Atomic<Int>(0)

  /// Calls so far.
  var count: Int { calls.load(ordering: .relaxed) }

  var physicalPageSize: Int { linux.physicalPageSize }
  var hugePageSize: Int { linux.hugePageSize }

  func mmap(
    _ address: UInt, _ byteCount: UInt, _ protection: MemoryProtection, replacing: Bool
  ) throws(Errno) -> UInt {
    calls.add(1, ordering: .relaxed)
    return try linux.mmap(address, byteCount, protection, replacing: replacing)
  }

  func munmap(_ address: UInt, _ byteCount: UInt) throws(Errno) {
    calls.add(1, ordering: .relaxed)
    try linux.munmap(address, byteCount)
  }

  func mprotect(
    _ address: UInt, _ byteCount: UInt, _ protection: MemoryProtection
  ) throws(Errno) {
    calls.add(1, ordering: .relaxed)
    try linux.mprotect(address, byteCount, protection)
  }

  func madvise(_ address: UInt, _ byteCount: UInt, _ advice: MemoryAdvice) throws(Errno) {
    calls.add(1, ordering: .relaxed)
    try linux.madvise(address, byteCount, advice)
  }

  func membarrier() throws(Errno) {
    calls.add(1, ordering: .relaxed)
    try linux.membarrier()
  }
}
