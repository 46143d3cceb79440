import PageAlloc
import Synchronization

/// A run table and a tally in plain memory, for the caches of a check.
@safe
final class BareTable {
  let runs: RunTable
  let tally: CacheTally

  init() {
    // As many bytes as the table has, zero, and never freed: a cache may outlive this object.
    let storage = UnsafeMutableRawPointer.allocate(byteCount: RunTable.byteCount, alignment: 16)
    unsafe storage.initializeMemory(as: UInt8.self, repeating: 0, count: RunTable.byteCount)
    runs = unsafe RunTable(storage: storage)
    let counts = UnsafeMutableRawPointer.allocate(byteCount: CacheTally.byteCount, alignment: 64)
    unsafe counts.initializeMemory(as: UInt8.self, repeating: 0, count: CacheTally.byteCount)
    tally = unsafe CacheTally(at: UInt(bitPattern: counts))
  }
}

/// A cache without an arena. Nothing lies behind the addresses of its runs: a cache never looks.
@safe
final class BareCache {
  /// The address of page 0, but of a heap's.
  static var base: UInt { 0x1000_0000 }

  private let base: UInt
  let runs: RunTable
  private let tally: CacheTally
  /// The cache, as its owner has it.
  let reference: CacheReference

  /// - Parameter capacity: what it may hold at first.
  convenience init(_ table: BareTable = BareTable(), capacity: Int = 128) {
    self.init(base: Self.base, table.runs, table.tally)
    raiseCapacity(for: min(capacity, RunCache.longestStacked), limit: capacity)
  }

  /// A cache of a heap without an arena.
  convenience init(_ subject: StandaloneHeap) {
    self.init(base: subject.heap.base, subject.heap.runs, subject.heap.tally)
  }

  private init(base: UInt, _ runs: RunTable, _ tally: CacheTally) {
    self.base = base
    self.runs = runs
    self.tally = tally
    // Never freed: a list may refer to the cache after the last use of this object, where the
    // optimiser ends it.
    let memory = UnsafeMutablePointer<RunCache>.allocate(capacity: 1)
    unsafe memory.initialize(
      to: RunCache(base: base, runs: runs, core: UInt(bitPattern: memory), tally: tally))
    reference = unsafe CacheReference(memory)
  }

  /// Takes a run as an owner does.
  func take(_ pages: Int, as kind: RunKind = .raw) -> PageNumber? {
    let address = reference.allocate(pages, as: kind)
    return address == 0 ? nil : Geometry.page(at: address, from: base)
  }

  /// Takes a run at a multiple of so many pages.
  func take(_ pages: Int, aligned: Int, as kind: RunKind = .raw) -> PageNumber? {
    reference.allocate(pages, alignment: aligned * 8192, as: kind)?.page
  }

  /// Gives a run back that was handed out.
  func give(_ page: PageNumber, _ pages: Int, as kind: RunKind = .raw) -> Bool {
    reference.deallocate(Geometry.address(of: page, from: base), pages, as: kind)
  }

  /// Gives a run back that was handed out by the allocator, of which there is none.
  func giveFresh(_ page: PageNumber, _ pages: Int, as kind: RunKind = .raw) -> Bool {
    runs.setLength(page, pages)
    return give(page, pages, as: kind)
  }

  var heldPages: Int { reference.contents.heldPages }
  /// What the caches of the table told.
  var talliedPages: Int { tally.pages }
  var ownerCount: Int { reference.contents.ownerCount }
  var capacity: Int { reference.contents.capacity }

  /// Lets the cache hold so many pages more, of the kind of such a run.
  func raiseCapacity(for pages: Int, limit: Int) {
    reference.contents.raiseCapacity(for: pages, limit: limit)
  }

  /// Moves the hot runs to their stacks, where `count` sees them.
  func stackHotRun() {
    _ = reference.contents.stackHotRun(.raw)
    _ = reference.contents.stackHotRun(.owned)
  }

  /// Runs of a size, but for the hot ones.
  func count(of pages: Int) -> Int { Int(reference.contents.count(of: pages)) }

  /// Takes all runs out, in some order.
  func drain() -> [Range<PageNumber>] {
    var drained: [Range<PageNumber>] = []
    reference.contents.drain { drained.append($0..<($0 + $1)) }
    return drained
  }
}
