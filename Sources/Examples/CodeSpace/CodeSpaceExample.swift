// Code that a program writes and executes: 20,000 functions, never writable and executable at once.
//
// They lie in one run. A page of it is opened for a function to be written, and sealed before
// anything in it is called: that costs no more mappings than there are stretches of pages alike,
// so two or three, however many functions there are.

import Foundation
import PageAlloc
import Support

let functionCount = 20_000
/// Room for each; ours are shorter.
let functionByteCount = 512
let pagesOfCode = functionCount * functionByteCount / PageArena.pageSize

/// A function of C that returns a number, as machine code; `nil` on other processors.
func machineCode(returning value: UInt32) -> [UInt8]? {
  func bytes(_ words: UInt32...) -> [UInt8] {
    words.flatMap { word in (0..<4).map { UInt8(truncatingIfNeeded: word >> (8 * $0)) } }
  }
  #if arch(x86_64)
    // mov eax, value; ret
    return [0xb8] + bytes(value) + [0xc3]
  #elseif arch(arm64)
    // movz w0, #low; movk w0, #high, lsl #16; ret
    return bytes(
      0x5280_0000 | (value & 0xffff) << 5, 0x72a0_0000 | (value >> 16) << 5, 0xd65f_03c0)
  #else
    return nil
  #endif
}

/// Functions at the start of pages or inside, each with room of its own.
struct CodeSpace: ~Copyable {
  private var run: PageRun

  init(_ arena: PageArena) throws(PageArenaError) {
    run = try arena.allocateRun(pages: pagesOfCode, access: .readExecute)
  }

  /// Writes a function. What lies in the same page cannot be called meanwhile.
  mutating func write(_ code: [UInt8], at index: Int) throws(PageArenaError) {
    let offset = index * functionByteCount
    let page = offset / PageArena.pageSize
    try run.protect(.readWrite, in: page..<page + 1)
    run.copyBytes(from: code.span, toByteOffset: offset)
    try run.protect(.readExecute, in: page..<page + 1)
  }

  func call(_ index: Int) -> UInt32 {
    Self.call(run.address + UInt(index * functionByteCount))
  }

  /// Here machine code begins: there must be a function at the address.
  static func call(_ address: UInt) -> UInt32 {
    let function = unsafe unsafeBitCast(address, to: (@convention(c) () -> UInt32).self)
    return function()
  }

  /// What no program should do: writes to code that is sealed.
  mutating func spoil() {
    var bytes = run.mutableBytes
    bytes.storeBytes(of: 0, as: UInt8.self)
  }
}

func value(of index: Int) -> UInt32 { UInt32(truncatingIfNeeded: index &* 2_654_435_761) }

func mappingCount() throws -> Int {
  try String(contentsOfFile: "/proc/self/maps", encoding: .utf8).split(separator: "\n").count
}

/// The same by mmap and mprotect.
func writeByHand(_ codes: [[UInt8]]) -> Double {
  let byteCount = pagesOfCode * PageArena.pageSize
  guard
    let start = unsafe mmap(
      nil, byteCount, PROT_READ | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0),
    unsafe start != MAP_FAILED
  else { fatalError("mmap") }
  defer { unsafe munmap(start, byteCount) }
  return nanoseconds {
    for (index, code) in codes.enumerated() {
      let place = unsafe start + index * functionByteCount
      let page = unsafe start + index * functionByteCount & ~(PageArena.pageSize - 1)
      let isOpen = unsafe mprotect(page, PageArena.pageSize, PROT_READ | PROT_WRITE) == 0
      unsafe code.withUnsafeBytes { code in
        guard let source = code.baseAddress else { return }
        unsafe place.copyMemory(from: source, byteCount: code.count)
      }
      let isSealed = unsafe mprotect(page, PageArena.pageSize, PROT_READ | PROT_EXEC) == 0
      require(isOpen && isSealed, "mprotect")
      // Elsewhere the processor has to be told that there is new code.
      #if arch(x86_64)
        let result = CodeSpace.call(UInt(bitPattern: place))
        require(result == value(of: index), "function \(index) by hand")
      #endif
    }
  }
}

/// The same in a run.
func write(_ codes: [[UInt8]], in space: inout CodeSpace) throws -> Double {
  try nanoseconds {
    for (index, code) in codes.enumerated() {
      try space.write(code, at: index)
      require(space.call(index) == value(of: index), "function \(index)")
    }
  }
}

@main
enum CodeSpaceExample {
  static func main() throws {
    guard let example = machineCode(returning: 42) else {
      print("not here: no machine code is known for this processor")
      return
    }
    let arena = try PageArena()
    var space = try CodeSpace(arena)
    if childTask == "spoil" {
      try space.write(example, at: 0)
      space.spoil()
      return
    }

    let codes = (0..<functionCount).compactMap { machineCode(returning: value(of: $0)) }
    let before = try mappingCount()
    let ours = try best { try write(codes, in: &space) }
    let more = try mappingCount() - before
    require(more < 10, "\(more) mappings more")
    for index in 0..<functionCount {
      require(space.call(index) == value(of: index), "function \(index), called at the end")
    }
    // Compiled again, in place.
    try space.write(example, at: 777)
    require(space.call(777) == 42 && space.call(778) == value(of: 778), "compiled again")
    let byHand = best { writeByHand(codes) }

    var isRefused = false
    do throws(PageArenaError) {
      _ = try arena.allocateRun(pages: 1, access: .readWriteExecute)
    } catch {
      if case .writableCode = error { isRefused = true }
    }
    require(isRefused, "code that is writable was not refused")
    let end = try runChild("spoil")
    require(end == .signal(SIGSEGV), "a write to sealed code: \(end)")

    print("\(functionCount) functions in \(pagesOfCode) pages, \(more) mappings more")
    print("a page that is writable and executable: refused; a write to sealed code: SIGSEGV")
    compare(
      "open, write, seal, call", ours / Double(functionCount) / 1000, by: "mmap and mprotect",
      byHand / Double(functionCount) / 1000, unit: "µs")
  }
}
