import CSysMem
import SysMem

/// What memory may be used for: that of a run, or a part of a region.
public enum PageAccess: Equatable, Sendable {
  /// Nothing: any access faults.
  case none
  /// Reads.
  case readOnly
  /// Reads and writes: what memory is at first.
  case readWrite
  /// Reads and execution, as for code that was generated.
  case readExecute
  /// Everything at once, for code that rewrites itself; it must be allowed where the memory is
  /// made.
  case readWriteExecute

  fileprivate var protection: MemoryProtection {
    switch self {
    case .none: .none
    case .readOnly: .read
    case .readWrite: .readWrite
    case .readExecute: .readExecute
    case .readWriteExecute: .readWriteExecute
    }
  }
}

extension SysMem {
  /// Changes what a range may be used for. Code that was written there is ready to be executed
  /// afterwards, also on machines with separate caches.
  func allow(_ access: PageAccess, _ address: UInt, _ byteCount: UInt) throws(SysMemError) {
    try protect(address, byteCount, access.protection)
    if access == .readExecute || access == .readWriteExecute { csm_clear_cache(address, byteCount) }
  }
}
