// A program with a copy of PageAlloc, linked against a library with another one.
//
//     two-copies share     two threads use arenas of both copies by turns: what they wrote stays
//     two-copies faults    arenas of both have faults reported; then there is one, in the library's

import Glibc
import Other
import PageAlloc
import Synchronization

/// What arenas of both copies can do; to Swift they have nothing in common.
protocol Side: Sendable {
  init(isChecked: Bool)
  func take(_ pages: Int) -> UInt
  func give(_ run: UInt, _ pages: Int) -> Bool
  var inUseBytes: UInt64 { get }
}

extension OtherArena: Side {}

/// An arena of the program's copy, as ``OtherArena`` is one of the library's.
final class OwnArena: Side {
  private let arena: PageArena

  init(isChecked: Bool) {
    guard let arena = try? PageArena(diagnosis: isChecked ? .checked(reportsFaults: true) : .off)
    else { fatalError("no arena in the program") }
    self.arena = arena
  }

  var inUseBytes: UInt64 { arena.statistics.inUseBytes }

  func take(_ pages: Int) -> UInt { unsafe UInt(bitPattern: try? arena.allocate(pages: pages)) }

  func give(_ run: UInt, _ pages: Int) -> Bool {
    // Only the address is looked at.
    guard let base = unsafe UnsafeMutableRawPointer(bitPattern: run) else { return false }
    return unsafe (try? arena.deallocate(base, pages: pages)) != nil
  }
}

/// A run that a thread has.
struct HeldRun {
  let address: UInt
  let pages: Int
  let side: Int
  let stamp: UInt64

  /// Writes a word at the start of every page.
  func write() {
    for page in 0..<pages { unsafe word(page).pointee = stamp &+ UInt64(page) }
  }

  /// Whether what was written is still there.
  var isIntact: Bool {
    for page in 0..<pages where unsafe word(page).pointee != stamp &+ UInt64(page) { return false }
    return true
  }

  private func word(_ page: Int) -> UnsafeMutablePointer<UInt64> {
    guard
      let word = unsafe UnsafeMutablePointer<UInt64>(
        bitPattern: address + UInt(page * PageArena.pageSize))
    else { fatalError("a run at address 0") }
    return unsafe word
  }
}

/// What a thread does, and what it met.
final class Worker: Sendable {
  let sides: [any Side]
  let seed: UInt64
  let faults = Atomic<Int>(0)

  init(_ sides: [any Side], seed: UInt64) {
    self.sides = sides
    self.seed = seed
  }

  /// Takes runs of all sides by turns, and gives them back a dozen at a time.
  func work() {
    var runs: [HeldRun] = []
    for step in 0..<20_000 {
      let side = step % sides.count
      let pages = 1 + step / sides.count % 3
      let address = sides[side].take(pages)
      if address == 0 { return fail() }
      let run = HeldRun(
        address: address, pages: pages, side: side, stamp: seed << 32 + UInt64(step) << 4)
      run.write()
      runs.append(run)
      if runs.count == 12 { giveAll(&runs) }
    }
    giveAll(&runs)
  }

  private func giveAll(_ runs: inout [HeldRun]) {
    for run in runs where !run.isIntact { fail() }
    for run in runs where !sides[run.side].give(run.address, run.pages) { fail() }
    runs = []
  }

  private func fail() { faults.add(1, ordering: .relaxed) }
}

func share() -> Bool {
  var sides: [any Side] = []
  for _ in 0..<2 {
    sides.append(OwnArena(isChecked: false))
    sides.append(OtherArena(isChecked: false))
  }
  let workers = [Worker(sides, seed: 1), Worker(sides, seed: 2)]
  var threads: [pthread_t] = []
  for worker in workers {
    var thread = pthread_t()
    // The thread takes over the reference.
    let argument = unsafe Unmanaged.passRetained(worker).toOpaque()
    let error = unsafe pthread_create(
      &thread, nil,
      { argument in
        guard let argument = unsafe argument else { return nil }
        unsafe Unmanaged<Worker>.fromOpaque(argument).takeRetainedValue().work()
        return nil
      }, argument)
    if error != 0 { fatalError("no thread") }
    threads.append(thread)
  }
  for thread in threads { pthread_join(thread, nil) }
  var faults = 0
  for worker in workers { faults += worker.faults.load(ordering: .relaxed) }
  var inUse: UInt64 = 0
  for side in sides { inUse += side.inUseBytes }
  if faults != 0 || inUse != 0 { print("\(faults) faults, \(inUse) bytes in use at the end") }
  return faults == 0 && inUse == 0
}

func fault() -> Bool {
  // Each may look after the signal anew.
  let sides: [any Side] = [
    OwnArena(isChecked: true), OtherArena(isChecked: true), OwnArena(isChecked: true),
    OtherArena(isChecked: true),
  ]
  return withExtendedLifetime(sides) {
    let run = HeldRun(address: sides[1].take(1), pages: 1, side: 1, stamp: 0)
    if sides[1].give(run.address, 1) { print("read what was freed: \(run.isIntact)") }
    return false
  }
}

switch CommandLine.arguments.dropFirst().first {
case "share": exit(share() ? 0 : 1)
case "faults": exit(fault() ? 0 : 1)
default: exit(2)
}
