// What has happened in a heap. Calls that caches serve are counted there (RunCache+Calls), and added
// to these by and by; all others are counted here, under the heap lock.

/// What has happened in a heap since it was made.
package struct HeapCounters {
  /// Runs that were handed out.
  package var allocations: UInt64 = 0
  /// Runs that were taken back, whole or in part.
  package var frees: UInt64 = 0
  /// Requests that were refused since there was no memory, or the kernel had none; those that a
  /// limit refused are not among them.
  package var refusals: UInt64 = 0
  /// How often chunks were added.
  package var growths: UInt64 = 0

  /// Nothing happened.
  package init() {}

  mutating func add(_ calls: CacheCalls) {
    allocations &+= UInt64(calls.allocations)
    frees &+= UInt64(calls.frees)
  }
}

extension Heap {
  /// How many caches one reading of the counters asks for what is new.
  package static var cachesPerReading: Int { 32 }

  /// Adds what the next caches have counted, and the caller's own.
  ///
  /// - Complexity: O(1): each reading asks so many, in turn.
  package mutating func addCalls(own: CacheReference?) {
    var counters = self.counters
    if let own { counters.add(own.takeNewCalls()) }
    caches.forEachNext(Self.cachesPerReading) { counters.add($0.takeNewCalls()) }
    self.counters = counters
  }
}
