import CThreadSlots

/// What the calling thread knows of arenas. It is the thread's own, and lives as long as that.
package enum ThisThread {
  /// All of it but the slots, which the subscript knows.
  package static var record: cts_thread {
    @inline(__always) unsafeAddress { unsafe UnsafePointer(cts_thread_here().unsafelyUnwrapped) }
    @inline(__always) unsafeMutableAddress { unsafe cts_thread_here().unsafelyUnwrapped }
  }

  /// Whether there is a slot for a place in the registry: a near one, or one in the table.
  @inline(__always)
  package static func hasSlot(at place: Int) -> Bool {
    place < Int(CTS_NEAR_SLOTS) + Int(record.table_count)
  }

  /// The slot of a place that has one.
  package static subscript(slot place: Int) -> cts_slot {
    @inline(__always) unsafeAddress { unsafe UnsafePointer(pointer(toSlot: place)) }
    @inline(__always) unsafeMutableAddress { unsafe pointer(toSlot: place) }
  }

  @inline(__always)
  private static func pointer(toSlot place: Int) -> UnsafeMutablePointer<cts_slot> {
    precondition(place >= 0 && hasSlot(at: place))
    let index = place &- Int(CTS_NEAR_SLOTS)
    if index >= 0 { return unsafe .init(bitPattern: record.table).unsafelyUnwrapped + index }
    // The array's elements lie one behind the other, in memory that does not move.
    return unsafe withUnsafeMutablePointer(to: &record.near) {
      unsafe UnsafeMutableRawPointer($0).assumingMemoryBound(to: cts_slot.self) + place
    }
  }
}
