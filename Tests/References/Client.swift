import PageAlloc

// A program that uses runs, each use in a function of its own: references.sh compiles it as
// anybody's program is compiled, and looks for what counts references.

// MARK: - A run's life

/// A run that ends with its scope.
public func drop(_ arena: PageArena, _ count: Int) throws(PageArenaError) {
  for _ in 0..<count { _ = try arena.allocateRun(pages: 4) }
}

/// A run that is freed by name.
public func deallocate(_ arena: PageArena, _ count: Int) throws(PageArenaError) {
  for _ in 0..<count {
    let run = try arena.allocateRun(pages: 4)
    run.deallocate()
  }
}

/// Two runs of one.
public func split(_ arena: PageArena, _ count: Int) throws(PageArenaError) {
  for _ in 0..<count {
    let halves = try arena.allocateRun(pages: 4).split(at: 1)
    halves.upper.deallocate()
    halves.lower.deallocate()
  }
}

/// A smaller run, then a larger one, which moves.
public func resize(_ arena: PageArena, _ count: Int) throws(PageArenaError) {
  for _ in 0..<count {
    var run = try arena.allocateRun(pages: 4)
    run.shrink(to: 2)
    if run.grow(to: 3) { run.shrink(to: 2) }
    try run.resize(to: 64)
  }
}

/// A run without an owner for a moment.
public func leakAndAdopt(_ arena: PageArena, _ count: Int) throws(PageArenaError) {
  for _ in 0..<count {
    let memory = unsafe try arena.allocateRun(pages: 4).leak()
    guard let base = memory.baseAddress else { return }
    unsafe try arena.adopt(base, pages: 4).deallocate()
  }
}

// MARK: - Its memory

/// Its memory as bytes.
public func bytes(_ run: inout PageRun, _ count: Int) -> UInt {
  var sum: UInt = 0
  for index in 0..<count {
    var bytes = run.mutableBytes
    bytes.storeBytes(of: UInt(index), as: UInt.self)
    // Any bits are a number.
    sum &+= unsafe run.bytes.unsafeLoad(as: UInt.self)
    unsafe run.withUnsafeMutableBytes { unsafe $0[8] = 1 }
    unsafe sum &+= UInt(run.withUnsafeBytes { unsafe $0[8] })
  }
  return sum &+ run.address &+ UInt(run.offset) &+ UInt(run.pages)
}

/// Its memory as numbers.
public func elements(_ run: inout PageRun, _ count: Int) -> UInt32 {
  var sum: UInt32 = 0
  for index in 0..<count {
    var words = run.mutableElements(of: UInt32.self)
    words[index] = sum
    sum &+= run.elements(of: UInt32.self)[index]
    unsafe run.withMemoryBound(to: UInt32.self) { unsafe $0[1] = sum }
  }
  return sum
}

// MARK: - Owners in other owners

/// An owner of an owner.
public struct Buffer: ~Copyable {
  var run: PageRun
  var used = 0
}

/// A run moves into another owner.
@inline(never)
public func make(_ arena: PageArena) throws(PageArenaError) -> Buffer {
  Buffer(run: try arena.allocateRun(pages: 4))
}

/// And ends with it.
@inline(never)
public func consume(_ buffer: consuming Buffer) {}

/// Both.
public func pass(_ arena: PageArena, _ count: Int) throws(PageArenaError) {
  var kept: Buffer?
  for _ in 0..<count {
    kept = try make(arena)
    if let buffer = kept.take() { consume(buffer) }
  }
}
