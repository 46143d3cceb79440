/// What the scavenger's thread keeps of an arena. Guarded by the lock of its list.
struct ScavengerLink {
  /// The next arena in the list of those that are awake.
  var next: ArenaCore?
  /// It is in that list.
  var isLinked = false
  /// It was woken since its last step began.
  var wasWoken = false
  /// It is to give all back: the kernel just told that tasks wait for memory.
  var isStalled = false
  /// Nanoseconds until its next step.
  var delay: UInt64 = 0
}
