import Synchronization

/// The numbers by which threads know arenas, and pools, none of which is used twice.
enum ArenaNumbers {
  private static let last = Atomic<UInt>(0)

  /// Takes numbers in a row.
  ///
  /// - Returns: the first of them; never 0.
  static func take(_ count: Int) -> UInt {
    last.add(UInt(bitPattern: count), ordering: .relaxed).oldValue + 1
  }
}
