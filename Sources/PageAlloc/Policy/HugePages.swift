/// Whether the kernel is asked for huge pages: ``PageArena/Options/hugePages``.
public enum HugePages: UInt8, Equatable, Sendable {
  /// Huge pages for what the arena grows by beyond its first 8 MiB, as long as the kernel has them
  /// quickly, as its counters tell the background thread; without that thread it is taken to have
  /// them. Memory that is written to costs a quarter, and no more of it is resident where runs are
  /// filled. What a huge page holds beyond what was written to counts as scavenged, and goes
  /// back with its neighbours; one of which the arena gave a part back is not filled again. None is
  /// asked for under a memory limit.
  case automatic
  /// What the system does by itself.
  case system
  /// Huge pages where possible: fewer faults and translations, more memory for what is touched in
  /// part.
  case prefer
  /// None.
  case avoid
}
