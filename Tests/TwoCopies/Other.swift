// A library that has a copy of PageAlloc of its own, and lets nobody see it.
internal import PageAlloc

/// An arena of this library's copy.
public final class OtherArena: Sendable {
  private let arena: PageArena

  /// An arena; a checked one has faults reported.
  public init(isChecked: Bool) {
    guard let arena = try? PageArena(diagnosis: isChecked ? .checked(reportsFaults: true) : .off)
    else { fatalError("no arena in the library") }
    self.arena = arena
  }

  /// Bytes handed out.
  public var inUseBytes: UInt64 { arena.statistics.inUseBytes }

  /// Takes a run.
  ///
  /// - Returns: its address; 0 where there is none.
  public func take(_ pages: Int) -> UInt {
    unsafe UInt(bitPattern: try? arena.allocate(pages: pages))
  }

  /// Gives a run back.
  ///
  /// - Returns: whether it was one of this arena's.
  public func give(_ run: UInt, _ pages: Int) -> Bool {
    // Only the address is looked at.
    guard let base = unsafe UnsafeMutableRawPointer(bitPattern: run) else { return false }
    return unsafe (try? arena.deallocate(base, pages: pages)) != nil
  }
}
