import CSysMem
import PageAlloc

/// The calls of a C allocator, found at run time.
@safe
public struct AllocatorFunctions {
  /// `posix_memalign`.
  public typealias Align =
    @convention(c) (UnsafeMutablePointer<UnsafeMutableRawPointer?>?, Int, Int) -> Int32
  /// `calloc`.
  public typealias Clear = @convention(c) (Int, Int) -> UnsafeMutableRawPointer?
  /// `free`.
  public typealias Free = @convention(c) (UnsafeMutableRawPointer?) -> Void

  let align: Align
  let clear: Clear
  let free: Free
  let release: (() -> Void)?

  /// An allocator by its calls.
  ///
  /// - Parameter release: gives idle memory back to the kernel; `nil` where there is no such call.
  public init(
    align: @escaping Align, clear: @escaping Clear, free: @escaping Free, release: (() -> Void)?
  ) {
    unsafe self.align = align
    unsafe self.clear = clear
    unsafe self.free = free
    self.release = release
  }

  /// The allocator of the C library that this program is linked with.
  public static func libc(release: (() -> Void)?) -> AllocatorFunctions {
    unsafe AllocatorFunctions(
      align: { pointer, alignment, byteCount in
        // The caller's pointer is good, as `posix_memalign` asks.
        guard let pointer = unsafe pointer else { return EINVAL }
        return unsafe posix_memalign(pointer, size_t(alignment), size_t(byteCount))
      },
      clear: { unsafe calloc(size_t($0), size_t($1)) },
      free: { unsafe CSysMem.free($0) }, release: release)
  }
}

/// A C allocator.
struct FunctionContender: Contender {
  let functions: AllocatorFunctions

  @inline(__always)
  func allocate(_ pages: Int) -> UInt { allocate(pages, alignment: PageArena.pageSize) }

  @inline(__always)
  func allocateZeroed(_ pages: Int) -> UInt {
    // Nothing is read or written here.
    unsafe UInt(bitPattern: functions.clear(1, PageSpace.byteCount(of: pages)))
  }

  @inline(__always)
  func allocate(_ pages: Int, alignment: Int) -> UInt {
    var pointer: UnsafeMutableRawPointer?
    // The call writes one pointer.
    let error = unsafe functions.align(&pointer, alignment, PageSpace.byteCount(of: pages))
    return error == 0 ? UInt(bitPattern: pointer) : 0
  }

  @inline(__always)
  func free(_ base: UInt, _ pages: Int) {
    // The caller hands over what one of the calls above gave it.
    unsafe functions.free(UnsafeMutableRawPointer(bitPattern: base))
  }

  func release() { functions.release?() }
}
