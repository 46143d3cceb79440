import CPageAlloc
import PageAlloc

/// Reads a caller's options.
///
/// - Parameter told: all zero; that stays where there are none.
/// - Returns: `false` where their size is none, or something is set that this version does not
///   know.
func read(_ options: UnsafePointer<pa_options>?, into told: inout pa_options) -> Bool {
  guard let options = unsafe options else { return true }
  let size = unsafe Int(clamping: options.pointee.size)
  return unsafe readStruct(options, size, into: &told)
}

extension PageArena.Options {
  /// What C's options say.
  ///
  /// - Returns: `nil` where a number means nothing. What makes no sense is told by the arena.
  init?(_ told: pa_options) {
    // An `Int` may have 32 bits.
    let flags = Int(truncatingIfNeeded: told.flags)
    let known = PA_FORK_MANUAL | PA_WRITABLE_CODE_ALLOWED | PA_PERMANENT | PA_WATCH_PRESSURE
    guard flags & ~known == 0, told.unused == 0, let hugePages = HugePages(told.huge_pages),
      let diagnosis = PageArena.Diagnosis(told)
    else { return nil }
    self.init(
      memoryLimit: PageArena.MemoryLimit(told), hugePages: hugePages,
      scavengesUnderPressure: flags & PA_WATCH_PRESSURE != 0,
      allowsWritableCode: flags & PA_WRITABLE_CODE_ALLOWED != 0,
      isPermanent: flags & PA_PERMANENT != 0,
      forkHandling: flags & PA_FORK_MANUAL != 0 ? .manual : .automatic, diagnosis: diagnosis)
    if told.reserve_bytes != 0 { reservedByteCount = told.reserve_bytes }
    if told.thread_cache_bytes != 0 {
      let isNone = told.thread_cache_bytes == .max
      threadCacheByteCount = isNone ? 0 : Int(clamping: told.thread_cache_bytes)
    }
    let background = PageArena.Scavenging.background(
      headroom: told.headroom == 0 ? 0.1 : told.headroom,
      cpuShare: told.cpu_share == 0 ? 0.01 : told.cpu_share)
    switch Int(clamping: told.scavenging) {
    case PA_SCAVENGE_BY_STEPS:
      scavenging = background
      scavengesBySteps = true
    case PA_SCAVENGE_IN_BACKGROUND: scavenging = background
    case PA_SCAVENGE_ON_REQUEST: scavenging = .manual
    default: return nil
    }
  }
}

extension HugePages {
  fileprivate init?(_ number: UInt32) {
    switch Int(clamping: number) {
    case PA_HUGE_PAGES_AUTOMATIC: self = .automatic
    case PA_HUGE_PAGES_SYSTEM: self = .system
    case PA_HUGE_PAGES_PREFER: self = .prefer
    case PA_HUGE_PAGES_AVOID: self = .avoid
    default: return nil
    }
  }
}

extension PageArena.MemoryLimit {
  /// The control group's where a fraction is told, also one that is none; else those in bytes.
  fileprivate init(_ told: pa_options) {
    self =
      told.group_fraction == 0
      ? .bytes(soft: told.soft_limit_bytes, hard: told.hard_limit_bytes)
      : .cgroup(fraction: told.group_fraction)
  }

  /// In bytes, where 0 stands for none.
  static func bytes(soft: UInt64, hard: UInt64) -> PageArena.MemoryLimit {
    .bytes(soft: soft == 0 ? Optional.none : soft, hard: hard == 0 ? Optional.none : hard)
  }
}

extension PageArena.Diagnosis {
  fileprivate init?(_ told: pa_options) {
    var quarantine = 64 << 20
    if told.quarantine_bytes != 0 {
      quarantine = told.quarantine_bytes == .max ? 0 : Int(clamping: told.quarantine_bytes)
    }
    switch Int(clamping: told.diagnosis) {
    case PA_DIAGNOSIS_AUTOMATIC: self = .automatic
    case PA_DIAGNOSIS_OFF: self = .off
    case PA_DIAGNOSIS_CHECKED: self = .checked(quarantineByteCount: quarantine)
    case PA_DIAGNOSIS_FAULTS:
      self = .checked(quarantineByteCount: quarantine, reportsFaults: true)
    default: return nil
    }
  }
}
