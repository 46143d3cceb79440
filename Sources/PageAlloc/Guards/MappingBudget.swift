import Synchronization
import SysMem

// The budget of mappings
// ======================
//
// Linux allows a process so many mappings (vm.max_map_count, 65,530 by default). Where they have
// run out, malloc, the stacks of threads and our own growth fail. So a quarter of them is left
// alone: nothing special is done to a run where that could take the process beyond the rest.
//
// A run that is changed or ends splits or joins so many mappings at the most; how many it really
// is, only the kernel knows, since neighbours of one kind are one mapping. So an allowance for the
// whole process goes down by the most that each change can add; when it is used up, the mappings
// are counted, and what is left to the bound is the next allowance.
//
//   |<------------------- vm.max_map_count ------------------->|
//   | counted, the last time | allowance | reserve | a quarter |

/// How many mappings the runs of all arenas may still add.
package enum MappingBudget {
  /// What may be added before the mappings are counted; it may go below 0.
  private static let allowance = Atomic<Int>(0)
  /// Where fewer are left there is no allowance, so that they are not counted all the time. Half of
  /// it stays for what the arenas and others map meanwhile.
  private static var reserve: Int { 512 }

  /// The most mappings that the process may have, as far as it is up to us.
  package static let limit: Int = {
    // What the kernel allows by default, where it does not tell.
    let most = mostMappings() ?? 65_530
    return most - most / 4
  }()

  /// A change is about to add so many mappings at the most.
  ///
  /// - Parameter counted: counts the mappings that there are; `nil` where the kernel does not tell.
  /// - Returns: `false` where there may be too many, then.
  /// - Complexity: O(1), but for one call in a hundred or fewer, and each that is refused, which
  ///   have all mappings counted.
  package static func add(_ count: Int, counted: () -> Int? = readMappingCount) -> Bool {
    if allowance.subtract(count, ordering: .relaxed).newValue >= 0 { return true }
    // Who counts at the same time as another allows at the most as much as that one.
    guard let counted = counted() else {
      // It does not go down for ever.
      allowance.store(0, ordering: .relaxed)
      return true
    }
    let left = limit - counted
    if left < reserve + count {
      allowance.store(0, ordering: .relaxed)
      return false
    }
    allowance.store(left - reserve / 2 - count, ordering: .relaxed)
    return true
  }

  /// A change that nothing can stop may have added so many mappings.
  package static func note(_ count: Int) {
    if allowance.load(ordering: .relaxed) >= 0 { allowance.subtract(count, ordering: .relaxed) }
  }
}
