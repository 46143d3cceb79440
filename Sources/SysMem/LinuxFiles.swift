import CSysMem

/// The files of the system.
package final class LinuxFiles: SystemFiles {
  /// The files.
  package init() {}

  package func read(_ path: borrowing SmallText, into text: inout SmallText) -> Bool {
    readFile(path, into: &text)
  }

  package func hugePageEvents() -> HugePageEvents? {
    var scan = HugePageEvents.Scan()
    return forEachLine(of: FixedText<32>("/proc/vmstat")) { scan.take($0) } ? scan.found : nil
  }

  package func watchStalls() -> Int32? {
    // A window of 2 s is granted to everybody; one of another length wants a privilege.
    let watched = csm_watch_stalls(20_000, 2_000_000)
    return watched.error == 0 ? Int32(truncatingIfNeeded: watched.value) : nil
  }

  package func awaitStall(_ file: Int32, bell: Int32, nanoseconds: UInt64?) -> StallNews {
    let events = csm_poll_either(file, csm_pollpri, bell, nanoseconds ?? .max)
    if events & csm_pollerr != 0 { return .gone }
    return events & csm_pollpri != 0 ? .stalled : .none
  }
}

/// The most mappings that a process may have; `nil` where the kernel does not tell.
package func mostMappings() -> Int? {
  var digits = FixedText<24>()
  guard readFile(FixedText<32>("/proc/sys/vm/max_map_count"), into: &digits) else { return nil }
  return digits.number(at: 0).flatMap { Int(exactly: $0) }
}

/// How many mappings the process has; `nil` where the kernel does not tell.
///
/// - Complexity: O(mappings), about 0.3 µs each.
package func readMappingCount() -> Int? {
  var lines = 0
  let isRead = forEachLine(of: FixedText<32>("/proc/self/maps")) { _ in lines += 1 }
  return isRead ? lines : nil
}
