// The linear memory of a WebAssembly machine: 4 GiB of address space and a guard behind, so that no
// access need be checked.
//
// An address has 32 bits, and an instruction adds an offset of less than 32 MiB to it. Wherever
// that leads, it is inside the region: in memory, or where the processor faults. The machine grows
// its memory in place, by pages of 64 KiB, and hands it to the next instance by reset().

import Foundation
import PageAlloc
import Support

let wasmPage = 64 << 10
let guardByteCount = 32 << 20

/// A memory as compiled WebAssembly sees it.
struct LinearMemory: ~Copyable {
  private var region: PageRegion

  init() throws(PageArenaError) {
    region = try PageRegion(reserving: 4 << 30, guardByteCount: guardByteCount)
  }

  var pages: Int { region.byteCount / wasmPage }
  var committedByteCount: Int { region.committedByteCount }

  /// The instruction `memory.grow`: how many pages there were, or -1.
  mutating func grow(by count: Int) -> Int {
    let before = pages
    do throws(PageArenaError) {
      try region.grow(to: (before + count) * wasmPage)
      return before
    } catch { return -1 }
  }

  mutating func reset() throws(PageArenaError) { try region.reset() }

  // What follows stands for machine code, which checks nothing: the processor does.

  func load(_ address: UInt32, offset: UInt32 = 0) -> UInt32 {
    unsafe region.baseAddress.loadUnaligned(
      fromByteOffset: Int(address) + Int(offset), as: UInt32.self)
  }

  mutating func store(_ value: UInt32, _ address: UInt32, offset: UInt32 = 0) {
    unsafe region.baseAddress.storeBytes(
      of: value, toByteOffset: Int(address) + Int(offset), as: UInt32.self)
  }
}

/// What an instance does: it touches a word in each of so many kernel pages, all of them zero.
let touchedPages = 64
let instances = 1000

func runInstances(in memory: inout LinearMemory) throws -> Double {
  try nanoseconds {
    for _ in 0..<instances {
      for page in 0..<touchedPages {
        let address = UInt32(page * 4096)
        require(memory.load(address) == 0, "the memory of another instance")
        memory.store(0xdead_beef, address)
      }
      try memory.reset()
    }
  } / Double(instances)
}

/// By hand each instance has a mapping of its own.
func runInstancesByHand() -> Double {
  nanoseconds {
    for _ in 0..<instances {
      let start = unsafe mapByHand()
      require(unsafe mprotect(start, 16 * wasmPage, PROT_READ | PROT_WRITE) == 0, "mprotect")
      for page in 0..<touchedPages {
        let address = page * 4096
        let word = unsafe start.load(fromByteOffset: address, as: UInt32.self)
        require(word == 0, "a new mapping")
        unsafe start.storeBytes(of: 0xdead_beef, toByteOffset: address, as: UInt32.self)
      }
      unsafe munmap(start, mappedByteCount)
    }
  } / Double(instances)
}

let mappedByteCount = 4 << 30 + guardByteCount
func mapByHand() -> UnsafeMutableRawPointer {
  let flags = MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE
  let start = unsafe mmap(nil, mappedByteCount, PROT_NONE, flags, -1, 0)
  guard let start = unsafe start, unsafe start != MAP_FAILED else { fatalError("mmap") }
  return unsafe start
}

/// Growth by 64 KiB, to 1 GiB.
let steps = 16_384

func grow() throws -> Double {
  var memory = try LinearMemory()
  let time = nanoseconds {
    for step in 0..<steps { require(memory.grow(by: 1) == step, "step \(step)") }
  }
  require(memory.committedByteCount == 1 << 30, "1 GiB")
  return time / Double(steps)
}

func growByHand() -> Double {
  let start = unsafe mapByHand()
  defer { unsafe munmap(start, mappedByteCount) }
  return nanoseconds {
    for step in 0..<steps {
      let status = unsafe mprotect(
        start + step * wasmPage, wasmPage, PROT_READ | PROT_WRITE)
      require(status == 0, "mprotect")
    }
  } / Double(steps)
}

@main
enum LinearMemoryExample {
  static func main() throws {
    var memory = try LinearMemory()
    require(memory.grow(by: 1) == 0, "the first page")
    // In a child of its own: what faults.
    if let childTask {
      switch childTask {
      case "behind": memory.store(1, UInt32(wasmPage))
      default: memory.store(1, .max, offset: UInt32(guardByteCount) - 8)
      }
      return
    }

    memory.store(0x0102_0304, UInt32(wasmPage) - 4)
    require(memory.grow(by: 15) == 1 && memory.pages == 16, "16 pages")
    require(memory.load(UInt32(wasmPage) - 4) == 0x0102_0304, "what was written before")
    require(memory.load(UInt32(wasmPage)) == 0, "new memory reads as zero")
    require(memory.grow(by: 65_536) == -1 && memory.pages == 16, "more than 4 GiB")
    for task in ["behind", "guard"] {
      let end = try runChild(task)
      require(end == .signal(SIGSEGV), "a store \(task): \(end)")
    }
    try memory.reset()
    let resetTime = try best { try runInstances(in: &memory) }
    require(memory.load(0) == 0 && memory.pages == 16, "reset")

    print("4 GiB and a guard of 32 MiB; grown to 16 pages; 65,536 more refused with -1")
    print("a store behind the memory: SIGSEGV; a store 32 MiB behind 4 GiB: SIGSEGV")
    compare(
      "an instance that touches \(touchedPages) pages, and its reset", resetTime / 1000,
      by: "mmap and munmap", best { runInstancesByHand() } / 1000, unit: "µs")
    compare(
      "growth by 64 KiB", try best { try grow() } / 1000, by: "mprotect",
      best { growByHand() } / 1000, unit: "µs")
  }
}
