import PageAlloc

/// A run table in plain memory, for the caches of a check.
@safe
final class BareTable {
  private let storage: UnsafeMutableRawPointer
  let runs: RunTable

  init() {
    // As many bytes as the table has, zero, and freed when no cache of the check is left.
    unsafe storage = .allocate(byteCount: RunTable.byteCount, alignment: 16)
    unsafe storage.initializeMemory(as: UInt8.self, repeating: 0, count: RunTable.byteCount)
    runs = unsafe RunTable(storage: storage)
  }

  deinit { unsafe storage.deallocate() }
}

/// A cache without an arena. Nothing lies behind the addresses of its runs: a cache never looks.
@safe
final class BareCache {
  /// The address of page 0.
  static var base: UInt { 0x1000_0000 }

  let table: BareTable
  /// The cache, as its owner has it; it lives as long as this object.
  let pointer: UnsafeMutablePointer<RunCache>

  init(_ table: BareTable = BareTable()) {
    self.table = table
    unsafe pointer = .allocate(capacity: 1)
    unsafe pointer.initialize(
      to: RunCache(base: Self.base, runs: table.runs, core: UnsafeRawPointer(pointer)))
  }

  deinit {
    unsafe pointer.deinitialize(count: 1)
    unsafe pointer.deallocate()
  }

  /// Takes a run as an owner does.
  func take(_ pages: Int, by hand: Hand = .caller) -> PageNumber? {
    let address = unsafe pointer.allocate(pages, by: hand)
    return address == 0 ? nil : Geometry.page(at: address, from: Self.base)
  }

  /// Takes a run at a multiple of so many pages.
  func take(_ pages: Int, aligned: Int, by hand: Hand = .caller) -> PageNumber? {
    unsafe pointer.allocate(pages, alignment: aligned * 8192, by: hand)?.page
  }

  /// Gives a run back that was handed out.
  func give(_ page: PageNumber, _ pages: Int, by hand: Hand = .caller) -> Bool {
    unsafe pointer.deallocate(Geometry.address(of: page, from: Self.base), pages, by: hand)
  }

  /// Gives a run back that was handed out by the allocator, of which there is none.
  func giveFresh(_ page: PageNumber, _ pages: Int, by hand: Hand = .caller) -> Bool {
    table.runs.setLength(page, pages)
    return give(page, pages, by: hand)
  }

  var heldPages: Int { unsafe pointer.pointee.heldPages }
  var ownerCount: Int { unsafe pointer.pointee.ownerCount }
  var bound: Int { unsafe pointer.pointee.bound }

  /// Lets the cache hold so many pages more, of the kind of such a run.
  func raiseBound(for pages: Int, limit: Int) {
    unsafe pointer.pointee.raiseBound(for: pages, limit: limit)
  }

  /// Moves the hot runs to their stacks, where `count` sees them.
  func settle() {
    _ = unsafe pointer.pointee.settle(.caller)
    _ = unsafe pointer.pointee.settle(.owner)
  }

  /// Runs of a size, but for the hot ones.
  func count(of pages: Int) -> Int { unsafe Int(pointer.pointee.count(of: pages)) }

  /// Takes all runs out, in some order.
  func drain() -> [Range<PageNumber>] {
    var drained: [Range<PageNumber>] = []
    unsafe pointer.pointee.drain { drained.append($0..<($0 + $1)) }
    return drained
  }
}
