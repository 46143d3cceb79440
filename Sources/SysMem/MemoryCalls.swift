/// The operating system's memory calls, so that a test can hand in memory that fails.
///
/// A conforming type does just what the call of that name does and hides no failure. The state
/// model stands above it, in ``SysMem``. All ranges are multiples of the physical page size.
public protocol MemoryCalls: AnyObject, Sendable {
  /// The kernel's page in bytes, a power of two. Asked for, never assumed.
  var physicalPageSize: Int { get }

  /// The kernel's transparent huge page in bytes, a power of two; 0 where there is none.
  var hugePageSize: Int { get }

  /// Whether guards can be markers in the page tables (`MADV_GUARD_INSTALL`, Linux 6.13). Memory
  /// that is locked takes none all the same.
  var canMarkGuards: Bool { get }

  /// How much more address space the process may have (`ulimit -v`); `nil` for as much as there is.
  var addressSpaceLeft: UInt64? { get }

  /// Maps private anonymous memory that counts against no limit before it is written to.
  ///
  /// - Parameters:
  ///   - address: where; a wish, or an order where `replacing` is set. 0: anywhere.
  ///   - replacing: what is mapped at `address` gives way.
  /// - Returns: where it was mapped.
  func mmap(
    _ address: UInt, _ byteCount: UInt, _ protection: MemoryProtection, replacing: Bool
  ) throws(Errno) -> UInt

  /// Gives address space back.
  func munmap(_ address: UInt, _ byteCount: UInt) throws(Errno)

  /// Changes what a range may be used for.
  func mprotect(_ address: UInt, _ byteCount: UInt, _ protection: MemoryProtection) throws(Errno)

  /// Tells the kernel about a range.
  func madvise(_ address: UInt, _ byteCount: UInt, _ advice: MemoryAdvice) throws(Errno)

  /// Tells the kernel about many ranges in one call (`process_madvise` on this process).
  ///
  /// - Returns: how many bytes were dealt with, from the first range on; fewer than all where a
  ///   range was refused.
  /// - Throws: nothing was done. `ENOSYS` or `EPERM`: there is no such call, or not for us.
  func processMadvise(
    _ ranges: borrowing Span<AdvisedRange>, _ advice: MemoryAdvice
  ) throws(Errno) -> UInt

  /// Moves the pages of a range to another, which takes their place and loses its own. The old
  /// range stays mapped, reads as zero, and keeps its access rights.
  func mremap(_ source: UInt, _ byteCount: UInt, to target: UInt) throws(Errno)

  /// Keeps a range in memory: it is backed now, and never swapped out.
  func mlock(_ address: UInt, _ byteCount: UInt) throws(Errno)

  /// Ends what `mlock` began.
  func munlock(_ address: UInt, _ byteCount: UInt) throws(Errno)

  /// Forbids every later change of a mapping, for as long as the process lives.
  func mseal(_ address: UInt, _ byteCount: UInt) throws(Errno)

  /// Gives the mappings of a range, which are private and anonymous, a name in `/proc/PID/maps`
  /// (`PR_SET_VMA_ANON_NAME`). Where the kernel keeps no names it does nothing.
  ///
  /// - Parameter name: printable ASCII without `[]\$` and the backquote, at most 79 bytes, and a
  ///   zero.
  func name(_ address: UInt, _ byteCount: UInt, _ name: borrowing Span<UInt8>)

  /// Every running thread of the process passes a full barrier before this returns.
  func membarrier() throws(Errno)

  /// Bytes of a range that are in memory now. All of the range must be mapped.
  func residentByteCount(_ address: UInt, _ byteCount: UInt) throws(Errno) -> UInt

  /// Whether a byte can be read, found out by the kernel; `nil` where it cannot tell.
  func isReadable(_ address: UInt) -> Bool?
}

// A conforming type may leave out what only some features need: the host cannot do it, then.
extension MemoryCalls {
  /// Cannot.
  public var canMarkGuards: Bool { false }

  /// As much as there is.
  public var addressSpaceLeft: UInt64? { nil }

  /// A system without the call: `ENOSYS`.
  public func processMadvise(
    _ ranges: borrowing Span<AdvisedRange>, _ advice: MemoryAdvice
  ) throws(Errno) -> UInt {
    throw .noSuchCall
  }

  /// Refuses.
  public func mremap(_ source: UInt, _ byteCount: UInt, to target: UInt) throws(Errno) {
    throw .noSuchCall
  }

  /// Refuses.
  public func mlock(_ address: UInt, _ byteCount: UInt) throws(Errno) { throw .noSuchCall }

  /// Refuses.
  public func munlock(_ address: UInt, _ byteCount: UInt) throws(Errno) { throw .noSuchCall }

  /// Refuses.
  public func mseal(_ address: UInt, _ byteCount: UInt) throws(Errno) { throw .noSuchCall }

  /// Keeps no names.
  public func name(_ address: UInt, _ byteCount: UInt, _ name: borrowing Span<UInt8>) {}

  /// Refuses.
  public func membarrier() throws(Errno) { throw .noSuchCall }

  /// Refuses.
  public func residentByteCount(_ address: UInt, _ byteCount: UInt) throws(Errno) -> UInt {
    throw .noSuchCall
  }

  /// Cannot tell.
  public func isReadable(_ address: UInt) -> Bool? { nil }
}
