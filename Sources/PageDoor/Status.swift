import CPageAlloc
import PageAlloc
import SysMem

extension pa_status {
  /// Done.
  static var ok: pa_status { pa_status(PA_OK) }
  /// A null pointer where none may be, or a number that means nothing.
  static var badArgument: pa_status { pa_status(PA_BAD_ARGUMENT) }

  /// The kernel has no memory for an object of the library's own.
  static var noMemory: pa_status { pa_status(PA_SYSTEM + Int(Errno.outOfMemory.rawValue)) }

  /// A code of the header's.
  @inline(__always)
  init(_ code: Int) { self = pa_status(truncatingIfNeeded: code) }

  /// What an error is told as.
  @inline(never)
  init(_ error: PageArenaError) {
    switch error {
    case .badPageCount: self.init(PA_BAD_PAGE_COUNT)
    case .badAlignment: self.init(PA_BAD_ALIGNMENT)
    case .badByteCount: self.init(PA_BAD_BYTE_COUNT)
    case .badReservation, .badPoolReservation: self.init(PA_BAD_RESERVATION)
    case .badScavenging: self.init(PA_BAD_SCAVENGING)
    case .badMemoryLimit: self.init(PA_BAD_MEMORY_LIMIT)
    case .badDiagnosis: self.init(PA_BAD_DIAGNOSIS)
    // Nothing that C can ask for has a label, a recording or a profile, or is a frame.
    case .badLabel, .badRecording, .badProfile, .badFrameByteCount:
      self.init(PA_BAD_ARGUMENT)
    case .recording(let errno), .profile(let errno): self.init(PA_SYSTEM + Int(errno.rawValue))
    case .frameNotInUse: self.init(PA_NOT_IN_USE)
    case .misaligned: self.init(PA_MISALIGNED)
    case .foreign: self.init(PA_FOREIGN)
    case .notInUse: self.init(PA_NOT_IN_USE)
    case .pastEndOfRun: self.init(PA_PAST_END_OF_RUN)
    case .notAStart, .notARun: self.init(PA_NOT_A_START)
    case .notPlain: self.init(PA_NOT_PLAIN)
    case .writableCode: self.init(PA_WRITABLE_CODE)
    case .partOfPhysicalPage: self.init(PA_PART_OF_KERNEL_PAGE)
    case .outOfBounds: self.init(PA_OUT_OF_BOUNDS)
    case .notCommitted: self.init(PA_NOT_COMMITTED)
    case .badGuardByteCount: self.init(PA_BAD_GUARD)
    case .tooManyHoles: self.init(PA_TOO_MANY_HOLES)
    case .reentered: self.init(PA_REENTERED)
    case .outOfMemory: self.init(PA_OUT_OF_MEMORY)
    case .limitReached: self.init(PA_LIMIT_REACHED)
    case .noAddressSpace: self.init(PA_NO_ADDRESS_SPACE)
    case .tooManyMappings: self.init(PA_TOO_MANY_MAPPINGS)
    case .unsupported: self.init(PA_UNSUPPORTED)
    case .system(let refusal): self.init(PA_SYSTEM + Int(refusal.errno.rawValue))
    }
  }

  /// The number of the kernel's error; `nil` where it is none.
  var errno: Int32? {
    self >= pa_status(PA_SYSTEM) ? self - pa_status(PA_SYSTEM) : nil
  }

  /// What it means.
  fileprivate var text: StaticString {
    if let errno { return systemText(errno) }
    switch Int(self) {
    case PA_OK: return "done"
    case PA_BAD_ARGUMENT: return "a null pointer, or a number that means nothing"
    case PA_BAD_SIZE: return "size: no size of this struct, or a field of it that is not known"
    case PA_BAD_PAGE_COUNT: return "pages: zero, or more than there can be"
    case PA_BAD_ALIGNMENT: return "alignment: no power of two that the arena can hold"
    case PA_BAD_BYTE_COUNT: return "bytes: no size that can be had"
    case PA_BAD_RESERVATION: return "reserve_bytes: not in 64 MiB ... 4 GiB, or too much for a pool"
    case PA_BAD_SCAVENGING: return "scavenging: headroom or cpu_share, or not by steps"
    case PA_BAD_MEMORY_LIMIT: return "limits: soft above hard, or a fraction that is none"
    case PA_BAD_DIAGNOSIS: return "quarantine_bytes: no size that can be had"
    case PA_MISALIGNED: return "the address is not that of a page"
    case PA_FOREIGN: return "an address is not in memory that this arena has grown to"
    case PA_NOT_IN_USE: return "the page is not in use (freed before?)"
    case PA_PAST_END_OF_RUN: return "the pages go past the end of the run"
    case PA_NOT_A_START: return "no run that is in use starts at the address (freed before?)"
    case PA_NOT_PLAIN: return "the run is not plain memory"
    case PA_WRITABLE_CODE: return "access: writable and executable at once is not allowed"
    case PA_PART_OF_KERNEL_PAGE: return "the range does not consist of whole pages of the kernel's"
    case PA_OUT_OF_BOUNDS: return "the range goes beyond what it is a range of"
    case PA_NOT_COMMITTED: return "some of the range is not committed"
    case PA_BAD_GUARD: return "guard_bytes: no size that can be had"
    case PA_TOO_MANY_HOLES: return "the region would have more than 32 holes"
    default: return laterText
    }
  }

  /// The same of what cannot be done now.
  private var laterText: StaticString {
    switch Int(self) {
    case PA_REENTERED: return "a signal's handler used an arena while its thread was inside a call"
    case PA_NOT_FREE: return "the pages are not free"
    case PA_OUT_OF_MEMORY: return "out of memory: no such run is free"
    case PA_LIMIT_REACHED: return "the hard limit is reached"
    case PA_NO_ADDRESS_SPACE: return "no address space"
    case PA_TOO_MANY_MAPPINGS: return "too many mappings would be needed"
    case PA_UNSUPPORTED: return "this host cannot do it"
    case PA_BUSY: return "another thread is doing it"
    case PA_TRUNCATED: return "the buffer is too small"
    default: return "not a status of this library"
    }
  }
}

/// What the kernel said, for the errors that calls for memory give.
private func systemText(_ number: Int32) -> StaticString {
  switch Errno(rawValue: number) {
  case .outOfMemory: return "the kernel refused a call: no memory, or too many mappings (ENOMEM)"
  case .tryAgain: return "the kernel refused a call: not now, or too much is locked (EAGAIN)"
  case .invalidArgument: return "the kernel refused a call: it does not know it (EINVAL)"
  case .noSuchCall: return "the kernel refused a call: it has none such (ENOSYS)"
  case .busy: return "the kernel refused a call: the memory is being used (EBUSY)"
  default: return "the kernel refused a call: pa_errno tells why"
  }
}

@c @implementation
package func pa_strerror(_ status: pa_status) -> UnsafePointer<CChar>? {
  // Closed by a zero, and there for ever; characters of C have the same layout as bytes.
  unsafe UnsafeRawPointer(status.text.utf8Start).assumingMemoryBound(to: CChar.self)
}

@c @implementation
package func pa_errno(_ status: pa_status) -> Int32 { status.errno ?? 0 }

@c @implementation
package func pa_version() -> UInt32 {
  UInt32(PA_VERSION_MAJOR) << 16 | UInt32(PA_VERSION_MINOR) << 8 | UInt32(PA_VERSION_PATCH)
}
