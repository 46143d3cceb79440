import Foundation
import PageAlloc

/// What the environment has to say before a process starts, or a rival is loaded in it.
public struct Surroundings {
  /// The rivals' own switches for huge pages are on, and so is ours.
  public let hugePages: Bool

  /// Such surroundings.
  public init(hugePages: Bool) { self.hugePages = hugePages }

  /// glibc is told once, as a program starts. jemalloc and google/tcmalloc, loaded late, want more
  /// room for thread-locals than it keeps by itself; google/tcmalloc has restartable sequences of
  /// its own, which a thread can have once.
  private var tunables: [String] {
    ["glibc.rtld.optional_static_tls=16384", "glibc.pthread.rseq=0"]
      + (hugePages ? ["glibc.malloc.hugetlb=1"] : [])
  }

  private var variables: [(name: String, value: String)] {
    [("GLIBC_TUNABLES", tunables.joined(separator: ":"))]
      + (hugePages ? [("MALLOC_CONF", "thp:always"), ("MIMALLOC_ALLOW_LARGE_OS_PAGES", "1")] : [])
  }

  /// The like for our arena, which reads nothing of it in the environment.
  public var ours: HugePages { hugePages ? .prefer : .automatic }

  /// What of it concerns huge pages, for the report.
  public var hugePageSwitches: String {
    hugePages
      ? "hugePages: .prefer, glibc.malloc.hugetlb=1, MALLOC_CONF=thp:always,"
        + " MIMALLOC_ALLOW_LARGE_OS_PAGES=1"
      : "as all come"
  }

  /// Starts this program once more, unless it runs in such surroundings already.
  ///
  /// - Returns: whether it runs in such surroundings; `false` where the system does not start it.
  public func enter() -> Bool {
    let environment = ProcessInfo.processInfo.environment
    if variables.allSatisfy({ environment[$0.name] == $0.value }) { return true }
    for (name, value) in variables {
      // Strings that are alive for the call; no other thread is there yet to read the environment.
      unsafe setenv(name, value, 1)
    }
    // The words of the command line are as the system gave them. Comes back only when refused.
    _ = unsafe execv("/proc/self/exe", CommandLine.unsafeArgv)
    return false
  }
}
