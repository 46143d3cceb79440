/// How many mappings the arena's runs split off.
package struct GuardBudget {
  /// Mappings that runs have split off, at the most.
  package var mappings = 0

  /// Nothing asked, and nothing split off.
  package init() {}

  /// The most mappings that an arena's runs may split off: half of what Linux allows a process by
  /// default (`vm.max_map_count`, 65,530).
  package static var mappingLimit: Int { 32_000 }

  /// Adds mappings, if there may be so many.
  package mutating func add(mappings count: Int) -> Bool {
    if mappings + count > Self.mappingLimit { return false }
    mappings += count
    return true
  }
}
