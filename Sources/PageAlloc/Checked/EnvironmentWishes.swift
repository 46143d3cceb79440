import CDiagnosis

/// What the environment wants arenas to say on standard error, whatever their options.
package struct EnvironmentWishes: Sendable {
  /// `PAGEALLOC_STATS=1`: the figures, when the arena ends or the process does.
  package let printsStatistics: Bool
  /// `PAGEALLOC_TRACE=scavenge`: a line for each step that gave memory back in the background.
  package let tracesScavenging: Bool

  /// What it says now.
  package init() {
    // Literals end in a zero.
    printsStatistics = unsafe cdg_environment("PAGEALLOC_STATS") == CChar(UInt8(ascii: "1"))
    tracesScavenging = unsafe cdg_environment("PAGEALLOC_TRACE") == CChar(UInt8(ascii: "s"))
  }
}
