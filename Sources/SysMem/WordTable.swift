import Synchronization

/// Words in mapped memory that threads read and change without a lock; 0 at first.
///
/// Safe: a table is as long as it says, and whoever has it ends it last.
@safe
public struct WordTable: Sendable {
  // Invariant: `count` words that are initialized.
  nonisolated(unsafe) private let words: UnsafeMutablePointer<Atomic<UInt>>
  /// How many words there are.
  public let count: Int

  /// Maps a table.
  ///
  /// - Parameter count: how many words, at least 1.
  /// - Throws: the kernel has no memory for it.
  public init(count: Int, from system: SysMem) throws(SysMemError) {
    let byteCount = Self.byteCount(count, system)
    let address = try system.sysReserve(byteCount, as: .readWrite)
    system.sysMapped(byteCount: byteCount)
    // The kernel maps nothing at 0. Zeroed memory is what atomic words are made of.
    unsafe words = UnsafeMutablePointer(bitPattern: address).unsafelyUnwrapped
    self.count = count
  }

  /// A word by its place.
  ///
  /// - Precondition: `index` is below the count.
  public func load(_ index: Int) -> UInt { unsafe word(index).pointee.load(ordering: .acquiring) }

  /// Changes a word.
  public func store(_ index: Int, _ value: UInt) {
    unsafe word(index).pointee.store(value, ordering: .releasing)
  }

  /// Changes a word that is 0.
  ///
  /// - Returns: `false`, with nothing changed, where it is not.
  public func claim(_ index: Int, _ value: UInt) -> Bool {
    unsafe word(index).pointee.compareExchange(
      expected: 0, desired: value, ordering: .acquiringAndReleasing
    ).exchanged
  }

  /// Adds to a word, which may wrap around.
  ///
  /// - Returns: what it was.
  @discardableResult
  package func add(_ index: Int, _ more: UInt) -> UInt {
    unsafe word(index).pointee.wrappingAdd(more, ordering: .relaxed).oldValue
  }

  /// Has the words be 0 in every child of a fork.
  package func wipeOnFork(_ system: SysMem) throws(SysMemError) {
    try system.advise(
      unsafe UInt(bitPattern: words), Self.byteCount(count, system), .wipeOnFork)
  }

  /// Gives the memory back. Nobody may use the table any more.
  public func unmap(from system: SysMem) {
    let byteCount = Self.byteCount(count, system)
    unsafe system.sysFreeAtLast(
      UInt(bitPattern: words), byteCount, preparedByteCount: byteCount)
  }

  private func word(_ index: Int) -> UnsafeMutablePointer<Atomic<UInt>> {
    precondition(index >= 0 && index < count, "no such word")
    return unsafe words + index
  }

  /// Bytes that a table of so many words takes.
  package static func byteCount(_ count: Int, _ system: SysMem) -> UInt {
    system.roundedToPhysicalPages(UInt(count * MemoryLayout<UInt>.stride))
  }
}
