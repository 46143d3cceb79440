import CSysMem
import CTestSystem
import PageAlloc
import Synchronization
import SysMem

/// Handlers of fork that a program has of its own, and chains of forks.
///
/// They come first of all: the first check registers handlers before there is an arena.
package let forkHandlerChecks: [Check] = [
  Check("fork handlers: registered before the first arena, they may use it everywhere") {
    recorder in
    if leavesOutFork(&recorder) { return }
    guard ProgramHandlers.areRegistered, let arena = makeArena(&recorder) else { return }
    let uses = Uses(arena)
    let status = withHandlers(
      prepare: { uses.use() }, parent: { uses.use() }, child: { uses.use() }
    ) {
      inChildWithin(seconds: 5) {
        uses.use()
        return uses.isGood(3) ? 0 : 2
      }
    }
    recorder.expectEqual(status, 0, "the child's status")
    uses.use()
    recorder.expect(uses.isGood(3), "in the parent")
    recorder.expect(arena.brokenInvariant() == nil, "the invariants hold in the parent")
  },

  Check("fork handlers: while a fork holds an arena, its thread uses it and others wait") {
    recorder in
    guard let arena = makeManualArena(&recorder), let other = makeArena(&recorder) else { return }
    let uses = Uses(arena)
    let others = Uses(arena)
    var early = -1
    arena.prepareForFork()
    runThreads(
      [others],
      meanwhile: {
        for _ in 0..<3 { uses.use() }
        recorder.expect((try? arena.releaseFreeMemory()) != nil, "memory goes back")
        recorder.expect(arena.statistics.inUseBytes == 0, "figures")
        recorder.expect(other.take(300, &recorder) != nil, "another arena")
        recorder.expect((try? PageArena()) != nil, "a new one, that goes again")
        sleep(milliseconds: 30)
        early = others.count
        arena.resumeInParentAfterFork()
      }
    ) { $0.use() }
    recorder.expectEqual(early, 0, "came in while the fork held the arena")
    recorder.expect(others.isGood(1) && uses.isGood(3), "used")
    // Once more changes nothing.
    arena.resumeInParentAfterFork()
    other.resumeInParentAfterFork()
    arena.resumeInChildAfterFork()
    uses.use()
    recorder.expect(uses.isGood(4), "used afterwards")
  },

  Check("fork handlers: one that is let through waits for whoever gives memory back") { recorder in
    guard let arena = makeManualArena(&recorder), let run = arena.take(4096, &recorder) else {
      return
    }
    run.stamp(1)
    arena.give(run, &recorder)
    let releaser = Uses(arena)
    runThreads(
      [releaser],
      meanwhile: {
        for _ in 0..<200 {
          arena.prepareForFork()
          recorder.expect((try? arena.releaseFreeMemory()) != nil, "memory goes back")
          arena.resumeInParentAfterFork()
        }
        releaser.stop()
      }
    ) { uses in
      while !uses.isStopping {
        uses.use()
        _ = try? uses.arena.releaseFreeMemory()
      }
    }
    recorder.expect(arena.brokenInvariant() == nil, "the invariants hold")
  },

  Check("fork handlers: a client's own lock over the fork, under which others use the arena") {
    recorder in
    if leavesOutFork(&recorder) { return }
    guard ProgramHandlers.areRegistered, let plain = makeArena(&recorder),
      let manual = makeManualArena(&recorder)
    else { return }
    for arena in [plain, manual] {
      let client = Client(arena)
      let worker = Client(sharing: client)
      let statuses = withHandlers(
        prepare: {
          client.lock()
          arena.prepareForFork()
        },
        parent: {
          arena.resumeInParentAfterFork()
          client.unlock()
        },
        child: {
          arena.resumeInChildAfterFork()
          client.unlock()
        }
      ) {
        var worst = 0
        runThreads(
          [worker],
          meanwhile: {
            for _ in 0..<(isEmulated ? 5 : 40) where worst == 0 {
              worst = inChildWithin(seconds: 5) { client.use() ? 0 : 2 }
            }
            worker.stop()
          }
        ) { $0.run() }
        return worst
      }
      recorder.expectEqual(statuses, 0, "a child's status")
      recorder.expect(arena.brokenInvariant() == nil, "the invariants hold")
    }
  },

  Check("fork handlers: in a chain of forks no cache and no mapping is lost (not under qemu)") {
    recorder in
    if leavesOutFork(&recorder) { return }
    if isEmulated {
      recorder.leaveOut("qemu-user aborts when a forked child of threads starts a thread")
      return
    }
    if isSanitized {
      recorder.leaveOut("the sanitizer's own mappings count: tables alone are looked at")
    }
    // More than have near slots, so that each thread has a table, too.
    var arenas: [PageArena] = []
    for _ in 0..<12 {
      guard let arena = makeArena(&recorder, byteCount: 64 << 20) else { return }
      arenas.append(arena)
    }
    // The C library has room for what a generation allocates: in a child, where the kernel does not
    // join what its heap grows by to what it had, that would be a mapping.
    let room = [UInt8](repeating: 1, count: 100_000)
    recorder.expectEqual(room.reduce(0) { $0 + Int($1) }, 100_000, "room")
    recorder.expectEqual(chain(arenas, generation: 0, Figures()), 0, "the chain's status")
  },
]

/// Handlers that a program registers, once; they do what is asked for just then.
private enum ProgramHandlers {
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
private func withHandlers(
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

private func makeManualArena(_ recorder: inout Recorder) -> PageArena? {
  var options = PageArena.Options()
  options.scavenging = .manual
  options.forkHandling = .manual
  return makeArena(&recorder, options)
}

/// Runs a body in a child, which ends by a signal where it takes too long.
///
/// - Returns: its status, or 256 and the signal; -1 where there is no child.
private func inChildWithin(seconds: UInt32, _ body: () -> Int32) -> Int {
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
private final class Uses: Sendable {
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
private final class Client: Sendable {
  private final class Own: Sendable { let lock = FutexLock() }
  private let own: Own
  private let uses: Uses

  init(_ arena: PageArena) {
    own = Own()
    uses = Uses(arena)
  }

  init(sharing client: Client) {
    own = client.own
    uses = Uses(client.uses.arena)
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
private struct Figures {
  var tableBytes: UInt64 = 0
  var mappings = 0
}

/// Starts threads that use all arenas and stay, and forks; the child does the same.
///
/// - Returns: 0, or what is wrong, and in which generation.
private func chain(_ arenas: [PageArena], generation: Int, _ first: Figures) -> Int {
  let threads = [0, 1, 2, 3].map { _ in Guest(arenas) }
  var status = 0
  runThreads(
    threads,
    meanwhile: {
      for thread in threads where !wait(5, until: { thread.hasCome }) { status = 90 }
      var figures = Figures()
      for arena in arenas { figures.tableBytes += arena.statistics.metadataBytes }
      figures.mappings = mappingCount()
      // The first child has what the C library made on the way.
      let reference = generation < 2 ? figures : first
      if figures.tableBytes != reference.tableBytes { status = 10 + generation }
      // AddressSanitizer keeps mappings of each thread, also of those that a child lacks.
      if !isSanitized, figures.mappings > reference.mappings { status = 30 + generation }
      if status == 0, generation < 5 {
        status = inChildWithin(seconds: 20) {
          Int32(chain(arenas, generation: generation + 1, reference))
        }
      }
      for thread in threads { thread.leave() }
    }
  ) { $0.stay() }
  return status
}

/// A thread that has a cache of each arena, and stays for a while.
private final class Guest: Sendable {
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
