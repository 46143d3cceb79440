// A program that fills a control group with arenas that keep its limit: groups.sh runs it.
//
//     groups fill N              N arenas on a thread each, until each is refused
//     groups beside              an arena, while other memory of the process grows
//     groups late                an arena whose runs nobody touches before it is refused
//     groups raise FILE BYTES    an arena; then the bound in FILE is raised; then it goes on
//     groups cache FILE          an arena, in a group that holds what was read of a file
//
// Status: 0 where each arena was told `limitReached` and had most of what there is for it.

import Glibc
import PageAlloc
import Synchronization

let words = CommandLine.arguments

/// An arena that keeps to half of what the group leaves, if it can, and to all of it in any case.
func makeArena() -> PageArena {
  var options = PageArena.Options()
  options.memoryLimit = .cgroup(fraction: 0.5)
  guard let arena = try? PageArena(options) else { fatalError("no arena") }
  return arena
}

extension PageArena {
  /// Takes runs of 128 KiB, and writes to them, until one is refused.
  ///
  /// - Returns: the bytes taken.
  func fill(isTouched: Bool = true) -> Int {
    var runs: [UInt] = []
    while true {
      do throws(PageArenaError) {
        let run = unsafe try allocate(pages: 16)
        if isTouched { unsafe memset(run, 1, 16 * 8192) }
        runs.append(UInt(bitPattern: run))
      } catch {
        guard case .limitReached = error else { fatalError("\(error)") }
        // Nobody is to be killed for it now.
        if !isTouched {
          for run in runs { unsafe memset(UnsafeMutableRawPointer(bitPattern: run)!, 1, 16 * 8192) }
        }
        return runs.count * 16 * 8192
      }
    }
  }
}

/// Runs a closure on another thread.
final class Worker {
  private let body: @Sendable () -> Void
  private var thread = pthread_t()

  init(_ body: @escaping @Sendable () -> Void) {
    self.body = body
    let this = unsafe Unmanaged.passRetained(self).toOpaque()
    let error = unsafe pthread_create(
      &thread, nil,
      { this in
        // The thread took over the reference.
        guard let this = unsafe this else { return nil }
        unsafe Unmanaged<Worker>.fromOpaque(this).takeRetainedValue().body()
        return nil
      }, this)
    if error != 0 { fatalError("no thread") }
  }

  func join() { pthread_join(thread, nil) }
}

switch words.dropFirst().first {
case "fill":
  let workers = (0..<(Int(words[2]) ?? 1)).map { _ in
    let arena = makeArena()
    return Worker { print("filled with \(arena.fill() >> 20) MiB") }
  }
  for worker in workers { worker.join() }
case "beside":
  let arena = makeArena()
  let isFull = Atomic<Bool>(false)
  let other = Worker {
    while !isFull.load(ordering: .relaxed) {
      // Never freed.
      guard let memory = unsafe malloc(64 << 10) else { fatalError("no memory") }
      unsafe memset(memory, 1, 64 << 10)
      usleep(200)
    }
  }
  print("filled with \(arena.fill() >> 20) MiB")
  isFull.store(true, ordering: .relaxed)
  other.join()
case "late":
  print("filled with \(makeArena().fill(isTouched: false) >> 20) MiB")
case "raise":
  let arena = makeArena()
  let before = arena.fill()
  guard let file = unsafe fopen(words[2], "w") else { fatalError("no such file") }
  unsafe fputs(words[3], file)
  unsafe fclose(file)
  usleep(1_000_000)
  let more = arena.fill()
  print("filled with \(before >> 20) MiB, then \(more >> 20) more")
  if more < before / 2 { exit(1) }
case "cache":
  guard let file = unsafe fopen(words[2], "r") else { fatalError("no such file") }
  let buffer = UnsafeMutableRawPointer.allocate(byteCount: 1 << 20, alignment: 4096)
  while unsafe fread(buffer, 1, 1 << 20, file) > 0 {}
  unsafe fclose(file)
  let bytes = makeArena().fill()
  print("filled with \(bytes >> 20) MiB")
  if bytes < 48 << 20 { exit(1) }
default:
  print("usage: groups fill N | beside | late | raise FILE BYTES | cache FILE")
  exit(2)
}
