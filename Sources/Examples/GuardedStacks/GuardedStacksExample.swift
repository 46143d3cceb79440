// 40,000 stacks of 64 KiB, each between two guards, as coroutines and threads need them.
//
// Where the kernel has guard markers (Linux 6.13), a guard costs no mapping, and 40,000 stacks are
// one. By mmap and mprotect each costs two, and the kernel allows 65,530.

import Foundation
import PageAlloc
import Support

let stackCount = 40_000
let pagesOfStack = 8
let byteCount = pagesOfStack * PageArena.pageSize
let threadsAtOnce = 100

/// What a thread does.
final class Body: Sendable {
  let run: @Sendable () -> UInt
  init(_ run: @escaping @Sendable () -> UInt) { self.run = run }
}

/// A stack with an owner: it goes with the last reference.
final class Stack {
  private let run: PageRun

  init(_ arena: PageArena) throws(PageArenaError) {
    run = try arena.allocateGuardedRun(pages: pagesOfStack)
  }

  var addresses: Range<UInt> { run.address..<run.address + UInt(run.byteCount) }

  /// Starts a thread that runs on this stack. Here C begins.
  func start(_ body: @escaping @Sendable () -> UInt) -> pthread_t {
    var attributes = pthread_attr_t()
    unsafe pthread_attr_init(&attributes)
    defer { unsafe pthread_attr_destroy(&attributes) }
    let base = unsafe UnsafeMutableRawPointer(bitPattern: run.address)
    guard let base = unsafe base, unsafe pthread_attr_setstack(&attributes, base, byteCount) == 0
    else { fatalError("pthread_attr_setstack") }
    var thread = pthread_t()
    let box = unsafe Unmanaged.passRetained(Body(body)).toOpaque()
    let status = unsafe pthread_create(
      &thread, &attributes,
      { box in
        guard let box = unsafe box else { return nil }
        let body = unsafe Unmanaged<Body>.fromOpaque(box).takeRetainedValue()
        return unsafe UnsafeMutableRawPointer(bitPattern: body.run())
      }, box)
    require(status == 0, "pthread_create: \(status)")
    return thread
  }

  /// Waits for a thread's end.
  /// - Returns: the address that it returned.
  static func join(_ thread: pthread_t) -> UInt {
    var result: UnsafeMutableRawPointer?
    let status = unsafe pthread_join(thread, &result)
    require(status == 0, "pthread_join: \(status)")
    return UInt(bitPattern: result)
  }
}

/// Uses about 300 bytes of stack at each depth.
@inline(never)
func descend(_ depth: Int, to bottom: Int) -> Int {
  var frame = InlineArray<32, Int>(repeating: depth)
  if depth < bottom { frame[depth & 31] = descend(depth + 1, to: bottom) }
  return (frame[depth & 31] ^ depth) &* 31
}

/// Whether the kernel has guard markers.
func hasGuardMarkers() -> Bool {
  let flags = MAP_PRIVATE | MAP_ANONYMOUS
  let start = unsafe mmap(nil, PageArena.pageSize, PROT_READ | PROT_WRITE, flags, -1, 0)
  defer { unsafe munmap(start, PageArena.pageSize) }
  // MADV_GUARD_INSTALL, which is newer than most C libraries.
  return unsafe madvise(start, PageArena.pageSize, 102) == 0
}

func mappingCount() throws -> Int {
  try String(contentsOfFile: "/proc/self/maps", encoding: .utf8).split(separator: "\n").count
}

/// Threads on every tenth stack, a hundred at once; each tells where its stack is.
func runThreads(on stacks: [Stack]) -> Int {
  let chosen = stride(from: 0, to: stacks.count, by: 10).map { stacks[$0] }
  for first in stride(from: 0, to: chosen.count, by: threadsAtOnce) {
    let wave = chosen[first..<min(first + threadsAtOnce, chosen.count)]
    let threads = wave.map { stack in
      stack.start {
        var local = descend(0, to: 50)
        return unsafe withUnsafeMutablePointer(to: &local) { UInt(bitPattern: $0) }
      }
    }
    for (stack, thread) in zip(wave, threads) {
      require(stack.addresses.contains(Stack.join(thread)), "a thread on another stack")
    }
  }
  return chosen.count
}

/// The same by mmap and mprotect, as many as the kernel allows.
func makeByHand() -> (count: Int, time: Double) {
  var made: [UInt] = []
  made.reserveCapacity(stackCount)
  let size = byteCount + 2 * PageArena.pageSize
  let flags = MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE
  let time = nanoseconds {
    for _ in 0..<stackCount {
      let start = unsafe mmap(nil, size, PROT_NONE, flags, -1, 0)
      guard let start = unsafe start, unsafe start != MAP_FAILED else { return }
      made.append(UInt(bitPattern: start))
      let inside = unsafe start + PageArena.pageSize
      if unsafe mprotect(inside, byteCount, PROT_READ | PROT_WRITE) != 0 { return }
    }
  }
  for start in made { unsafe munmap(UnsafeMutableRawPointer(bitPattern: start), size) }
  return (made.count, time)
}

@main
enum GuardedStacksExample {
  static func main() throws {
    let arena = try PageArena()
    // In a child: a thread that needs more stack than it has.
    if childTask == "overflow" {
      _ = Stack.join(try Stack(arena).start { UInt(bitPattern: descend(0, to: .max)) })
      return
    }

    let before = try mappingCount()
    var stacks: [Stack] = []
    stacks.reserveCapacity(stackCount)
    let time = try nanoseconds {
      do throws(PageArenaError) {
        while stacks.count < stackCount { stacks.append(try Stack(arena)) }
      } catch {
        // Without guard markers their guards are mappings, too, and some are left for others.
        guard case .tooManyMappings(let limit) = error else { throw error }
        require(!hasGuardMarkers(), "\(stacks.count) stacks took \(limit) mappings")
        print("not here: no guard markers in this kernel, and \(limit) mappings are used up")
        exit(0)
      }
    }
    let more = try mappingCount() - before
    require(more < 100, "\(more) mappings more")
    print("\(stackCount) guarded stacks of \(byteCount >> 10) KiB, \(more) mappings more")

    let threadCount = runThreads(on: stacks)
    let resident = try residentByteCount()
    print("\(threadCount) threads ran on them: \(resident >> 20) MiB in memory")
    let freeTime = nanoseconds { stacks = [] }
    require(arena.statistics.inUseBytes == 0, "\(arena.statistics)")
    let end = try runChild("overflow")
    require(end == .signal(SIGSEGV), "a stack that overflowed: \(end)")
    print("a thread that overflows its stack: SIGSEGV")

    let byHand = makeByHand()
    print("by mmap and mprotect the kernel refused after \(byHand.count)")
    compare(
      "a stack made", time / Double(stackCount) / 1000, by: "mmap and mprotect",
      byHand.time / Double(byHand.count) / 1000, unit: "µs")
    print("a stack freed: \(short(freeTime / Double(stackCount) / 1000)) µs")
  }
}
