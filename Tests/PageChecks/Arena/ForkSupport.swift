import CSysMem
import CTestSystem
import PageAlloc
import SysMem
import Synchronization

// Children of `fork`, and threads that are in the middle of something just then.

extension LinuxFiles {
  /// Whether the kernel grants word of stalls.
  var isWatchingStalls: Bool {
    guard let file = watchStalls() else { return false }
    csm_close(file)
    return true
  }
}

/// Says so where a child of `fork` cannot be looked at.
func leavesOutFork(_ recorder: inout Recorder) -> Bool {
  if ctest_sanitizer() != 1 { return false }
  recorder.leaveOut("ThreadSanitizer hangs in a child that was forked from threads")
  return true
}

/// Forks again and again; the children use the arena.
final class Forker: Sendable {
  let arena: PageArena
  let kept: Run
  let refused = Atomic<Int>(0)
  let worst = Atomic<Int>(0)

  init(_ arena: PageArena, _ kept: Run) {
    self.arena = arena
    self.kept = kept
  }

  func run(_ count: Int) {
    for _ in 0..<count {
      let status = inChild {
        guard let run = try? arena.run(300, zeroed: true) else { return 2 }
        if !run.isZero { return 3 }
        run.part(0, 200).stamp(4)
        run.part(200, 100).stamp(5)
        if arena.errorOfGiving(run.part(0, 200)) != nil { return 4 }
        guard (try? arena.releaseFreeMemory()) != nil else { return 5 }
        if !run.part(200, 100).isStamped(5) { return 6 }
        if !kept.isStamped(9) { return 7 }
        return arena.brokenInvariant() == nil ? 0 : 8
      }
      if status < 0 { refused.add(1, ordering: .relaxed) }
      if status > 0 { worst.store(status, ordering: .relaxed) }
      sleep(milliseconds: 2)
    }
  }
}

/// A thread that takes and frees a page, again and again, with much more at hand.
final class Insider: Sendable {
  let arena: PageArena
  let faults = Atomic<Int>(0)
  let isStopping = Atomic<Bool>(false)
  /// What it has at hand, with the page, once it is at it.
  let cachedPages = Atomic<Int>(0)

  init(_ arena: PageArena) { self.arena = arena }

  func run() {
    var runs: [Run] = []
    for _ in 0..<16 {
      if let run = try? arena.run(32) { runs.append(run) }
    }
    if runs.count != 16 { faults.add(1, ordering: .relaxed) }
    for run in runs where arena.errorOfGiving(run) != nil { faults.add(1, ordering: .relaxed) }
    // The first page comes by the lock, out of a block that the cache keeps.
    if let run = try? arena.run(1) { _ = arena.errorOfGiving(run) }
    cachedPages.store(Int(arena.statistics.cachedBytes >> 13), ordering: .releasing)
    while !isStopping.load(ordering: .relaxed) {
      guard let run = try? arena.run(1), arena.errorOfGiving(run) == nil else {
        faults.add(1, ordering: .relaxed)
        return
      }
    }
  }
}

/// What a child does whose parent had a thread that may have been inside its cache.
///
/// - Returns: 1 where it was, so that what it had at hand is lost; 0 where it was not; else what is
///   wrong.
func useWithout(worker cachedPages: Int, _ arena: PageArena, _ kept: Run) -> Int32 {
  if (try? arena.releaseFreeMemory()) == nil { return 2 }
  let before = arena.statistics
  if before.cachedBytes != 0 || before.freeMaybeResidentBytes != 0 { return 3 }
  guard let run = try? arena.run(300, zeroed: true), run.isZero else { return 4 }
  run.part(0, 200).stamp(4)
  run.part(200, 100).stamp(5)
  if arena.errorOfGiving(run.part(0, 200)) != nil { return 5 }
  if !run.part(200, 100).isStamped(5) || !kept.isStamped(9) { return 6 }
  if arena.errorOfGiving(run.part(200, 100)) != nil { return 7 }
  if (try? arena.releaseFreeMemory()) == nil { return 8 }
  let after = arena.statistics
  if after.inUseBytes != before.inUseBytes || after.freeMaybeResidentBytes != 0 { return 9 }
  if arena.brokenInvariant() != nil { return 10 }
  // The worker had one page at the most.
  let others = Int(after.inUseBytes >> 13) - kept.pages
  if others == 0 || others == 1 { return 0 }
  return others == cachedPages || others == cachedPages + 1 ? 1 : 11
}

/// Runs a body in a child; what it returns is the exit status.
///
/// - Returns: the status, or 256 and the signal that ended the child; -1 where there is no child.
func inChild(_ body: () -> Int32) -> Int {
  let child = ctest_fork()
  if child.error != 0 { return -1 }
  if child.value == 0 { ctest_exit_now(body()) }
  let status = ctest_wait(child.value)
  return status.error == 0 ? Int(status.value) : -1
}

/// Starts threads that sleep until no more can be had.
///
/// - Returns: `false` where there is no end of them.
func takeAllStacks() -> Bool {
  for _ in 0..<1000 {
    var thread = pthread_t()
    let error = unsafe csm_thread_start(
      &thread,
      { _ in
        sleep(milliseconds: 60_000)
        return nil
      }, nil, 256 << 10)
    if error != 0 { return true }
  }
  return false
}

/// Bytes of address space that the process has, as the kernel counts them for the limit.
func addressSpace() -> UInt64? {
  var text = SmallText()
  guard LinuxFiles().read(SmallText("/proc/self/statm"), into: &text),
    let pages = text.number(at: 0)
  else { return nil }
  return pages * UInt64(csm_page_size())
}
