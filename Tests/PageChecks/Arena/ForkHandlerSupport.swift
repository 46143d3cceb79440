import CSysMem
import CTestSystem
import PageAlloc
import SysMem
import Synchronization

// What a program does of its own over a fork.

/// Handlers that a program registers, once; they do what is asked for just then.
enum ProgramHandlers {
  nonisolated(unsafe) static var prepare: (() -> Void)?
  nonisolated(unsafe) static var parent: (() -> Void)?
  nonisolated(unsafe) static var child: (() -> Void)?

  static let areRegistered: Bool =
    // Called by the thread that forks, which alone changes them.
    pthread_atfork(
      { unsafe ProgramHandlers.prepare?() }, { unsafe ProgramHandlers.parent?() },
      { unsafe ProgramHandlers.child?() }) == 0
}

/// Runs `body` with handlers that do something.
func withHandlers(
  prepare: @escaping () -> Void, parent: @escaping () -> Void, child: @escaping () -> Void,
  _ body: () -> Int
) -> Int {
  // By the thread that forks.
  unsafe ProgramHandlers.prepare = prepare
  unsafe ProgramHandlers.parent = parent
  unsafe ProgramHandlers.child = child
  defer {
    unsafe ProgramHandlers.prepare = nil
    unsafe ProgramHandlers.parent = nil
    unsafe ProgramHandlers.child = nil
  }
  return body()
}

func makeManualArena(_ recorder: inout Recorder) -> PageArena? {
  var options = PageArena.Options()
  options.scavenging = .manual
  options.forkHandling = .manual
  return makeArena(&recorder, options)
}

/// Ends the process by a signal in so many seconds, unless it is called again with 0.
func endProcess(after seconds: UInt32) { alarm(seconds) }

/// Runs a body in a child, which ends by a signal where it takes too long.
///
/// - Returns: its status, or 256 and the signal; -1 where there is no child.
func inChildWithin(seconds: UInt32, _ body: () -> Int32) -> Int {
  // Also where a handler in the parent hangs; a child starts without.
  alarm(4 * seconds)
  let child = ctest_fork()
  if child.error != 0 { return -1 }
  if child.value == 0 {
    alarm(seconds)
    ctest_exit_now(body())
  }
  alarm(0)
  let status = ctest_wait(child.value)
  return status.error == 0 ? Int(status.value) : -1
}

/// Takes and frees runs by the locks, and counts.
final class CountedUses: Sendable {
  let arena: PageArena
  private let done = Atomic<Int>(0)
  private let faults = Atomic<Int>(0)
  private let stopping = Atomic<Bool>(false)

  init(_ arena: PageArena) { self.arena = arena }

  var count: Int { done.load(ordering: .acquiring) }
  var isStopping: Bool { stopping.load(ordering: .relaxed) }
  func stop() { stopping.store(true, ordering: .relaxed) }

  func isGood(_ wanted: Int) -> Bool {
    faults.load(ordering: .relaxed) == 0 && count == wanted
  }

  func use() {
    for pages in [1, 300] {
      guard let run = try? arena.run(pages) else { return fail() }
      run.stamp(3)
      if !run.isStamped(3) || arena.errorOfGiving(run) != nil { fail() }
    }
    done.add(1, ordering: .releasing)
  }

  private func fail() { faults.add(1, ordering: .relaxed) }
}

/// A library that guards something of its own, and uses the arena under the lock.
final class LockingClient: Sendable {
  private final class Own: Sendable { let lock = FutexLock() }
  private let own: Own
  private let uses: CountedUses

  init(_ arena: PageArena) {
    own = Own()
    uses = CountedUses(arena)
  }

  init(sharing client: LockingClient) {
    own = client.own
    uses = CountedUses(client.uses.arena)
  }

  func lock() { own.lock.lock() }
  func unlock() { own.lock.unlock() }

  func use() -> Bool {
    let before = uses.count
    lock()
    uses.use()
    unlock()
    return uses.isGood(before + 1)
  }

  func run() { while !uses.isStopping { _ = use() } }
  func stop() { uses.stop() }
}

/// What a generation of a chain has.
struct ForkFigures {
  var tableBytes: UInt64 = 0
  var mappings = 0
}

/// Starts threads that use all arenas and stay, and forks; the child does the same.
///
/// - Returns: 0, or what is wrong, and in which generation.
func forkChain(_ arenas: [PageArena], generation: Int, _ first: ForkFigures) -> Int {
  let threads = [0, 1, 2, 3].map { _ in ForkGuest(arenas) }
  var status = 0
  runThreads(
    threads,
    meanwhile: {
      for thread in threads where !wait(5, until: { thread.hasCome }) { status = 90 }
      var figures = ForkFigures()
      for arena in arenas { figures.tableBytes += arena.statistics.metadataBytes }
      figures.mappings = mappingCount()
      // The first child has what the C library made on the way.
      let reference = generation < 2 ? figures : first
      if figures.tableBytes != reference.tableBytes { status = 10 + generation }
      // AddressSanitizer keeps mappings of each thread, also of those that a child lacks.
      if !isSanitized, figures.mappings > reference.mappings { status = 30 + generation }
      if status == 0, generation < 5 {
        status = inChildWithin(seconds: 20) {
          Int32(forkChain(arenas, generation: generation + 1, reference))
        }
      }
      for thread in threads { thread.leave() }
    }
  ) { $0.stay() }
  return status
}

/// A thread that has a cache of each arena, and stays for a while.
final class ForkGuest: Sendable {
  private let arenas: [PageArena]
  private let came = Atomic<Bool>(false)
  private let leaves = Atomic<Bool>(false)

  init(_ arenas: [PageArena]) { self.arenas = arenas }

  var hasCome: Bool { came.load(ordering: .acquiring) }
  func leave() { leaves.store(true, ordering: .relaxed) }

  func stay() {
    for arena in arenas {
      if let run = try? arena.run(2) { _ = arena.errorOfGiving(run) }
    }
    came.store(true, ordering: .releasing)
    while !leaves.load(ordering: .relaxed) { sleep(milliseconds: 1) }
  }
}
