import Synchronization

// What the caches of an arena hold
// ================================
//
// A walk over the caches would cost more the more threads there are, so there is one running count,
// as the kernel's `percpu_counter` is one:
//
//   a cache     charged 200 pages, of which it told 120    quiet while charged stays in 0 ... 256
//   the tally   sum of what all caches told
//
// The owner of a cache tells the difference when its charge has moved by more than a batch, and
// exactly whenever it comes by the heap lock. Long runs, each of which is more than a batch, are
// told one by one. The hot runs come and go without a word: that path has no instruction to spare.
//
// So for each cache the count is off by a batch (1 MiB) at the most, and by the hot runs (under 1
// MiB each) that were taken or freed since the cache told last.

/// The pages in all caches of an arena, as far as their owners told of them.
///
/// Any thread adds to it, and reads it, at any time and without an order: it is a figure alone.
@safe
package struct CacheTally {
  // Invariant: initialized, and lives as long as the arena, which is as long as its caches.
  private let count: UnsafePointer<Atomic<Int>>

  /// The most pages by which the charge of a cache moves without a word: 1 MiB.
  package static var batch: Int { 128 }

  /// The tally at an address where one was initialized.
  package init(at count: UnsafePointer<Atomic<Int>>) { unsafe self.count = count }

  /// What was told: in the midst of changes any number, and negative as well.
  package var pages: Int { unsafe count.pointee.load(ordering: .relaxed) }

  /// A cache holds so many pages more than it told.
  @inline(__always)
  package func add(_ pages: Int) { unsafe count.pointee.wrappingAdd(pages, ordering: .relaxed) }

  /// A cache holds so many pages fewer than it told.
  @inline(__always)
  package func subtract(_ pages: Int) {
    unsafe count.pointee.wrappingSubtract(pages, ordering: .relaxed)
  }

  /// No cache holds anything, nor is there a thread that would tell of it.
  func reset() { unsafe count.pointee.store(0, ordering: .relaxed) }
}
