/// What a checked arena knows of a run: see ``PageArena/diagnose(_:)``.
///
/// Its description is text for people, with the names of functions.
public struct RunRecord: Sendable {
  let note: RunNote
  let base: UInt

  /// What has become of a run.
  public enum State: Equatable, Sendable {
    /// In use, or some of it.
    case inUse
    /// Freed; any access faults.
    case quarantined
    /// Freed; its pages may have been handed out again since.
    case freed
  }

  /// Who did something to a run.
  public struct Event: Equatable, Sendable {
    /// The thread's number, as the kernel counts (`gettid`).
    public let thread: Int
    /// The return addresses of the calls that it was inside of, innermost first, 16 at the most,
    /// those of the library included; none where the program has no tables to unwind by.
    public let addresses: [UInt]

    init?(_ trace: Trace) {
      guard trace.isKnown else { return nil }
      thread = Int(truncatingIfNeeded: trace.thread)
      addresses = (0..<trace.count).map { trace[$0] }
    }
  }

  /// The address of its first page, as it was allocated or freed.
  public var address: UInt { base &+ UInt(note.firstPage) << UInt(Geometry.pageShift) }
  /// How many pages of 8 KiB it has or had; guards count.
  public var pages: Int { note.pages.count }
  /// How many of them are in use.
  public var pagesInUse: Int { Int(note.livePages) }
  /// What has become of it.
  public var state: State {
    switch note.state {
    case .none, .free: .freed
    case .inUse: .inUse
    case .leaving, .quarantined: .quarantined
    }
  }
  /// Who allocated it; `nil` where that was forgotten.
  public var allocation: Event? { Event(note.allocation) }
  /// Who freed it; `nil` while it is in use.
  public var end: Event? { Event(note.end) }
}

extension RunRecord: CustomStringConvertible {
  /// A line about the run, and who allocated and freed it, a line a call.
  public var description: String {
    var text = ""
    note.report(base: base, isReadable: true) { text += $0.text }
    return text
  }
}

#if !hasFeature(Embedded)
  extension RunRecord: CustomReflectable {
    /// The record's properties.
    public var customMirror: Mirror {
      Mirror(
        self,
        children: [
          "address": address, "pages": pages, "pagesInUse": pagesInUse, "state": state,
          "allocation": allocation as Any, "end": end as Any,
        ], displayStyle: .struct)
    }
  }
#endif
