import PageAlloc
import Synchronization
import SysMem

/// A clock that stands still but for what a check adds, and what each look at the processor's time
/// costs.
package final class FakeClock: ScavengeClock {
  private let time = Atomic<UInt64>(1_000_000_000)
  private let processor = Atomic<UInt64>(0)
  /// Work, in nanoseconds, that seems to be done before each look at the processor's time.
  package let workPerLook = Atomic<UInt64>(0)

  /// By so much each look at the time sets the clock forwards, or back, the next one the other
  /// way; and each look at the processor's time that one's.
  package let step = Atomic<Int64>(0)
  package let processorStep = Atomic<Int64>(0)

  package init() {}

  package func now() -> Moment {
    let change = Self.turn(step)
    return Moment(nanoseconds: time.wrappingAdd(change, ordering: .relaxed).newValue)
  }

  package func processorTime() -> Moment {
    let work = workPerLook.load(ordering: .relaxed)
    time.add(work, ordering: .relaxed)
    let change = Self.turn(processorStep) &+ work
    return Moment(nanoseconds: processor.wrappingAdd(change, ordering: .relaxed).newValue)
  }

  /// The step that is due, to be added; the next goes the other way.
  private static func turn(_ step: borrowing Atomic<Int64>) -> UInt64 {
    let now = step.load(ordering: .relaxed)
    step.store(-now, ordering: .relaxed)
    return UInt64(bitPattern: now)
  }

  /// Lets time pass in which nobody works.
  package func sleep(_ nanoseconds: UInt64) { time.add(nanoseconds, ordering: .relaxed) }

  /// Processor time that was used, without looking at it.
  package var worked: UInt64 { processor.load(ordering: .relaxed) }
}

/// Files by their paths, for limits and pressure.
package final class FakeFiles: SystemFiles {
  private let files: [(path: StaticString, text: StaticString)]

  package init(_ files: [(path: StaticString, text: StaticString)]) { self.files = files }

  package func read(_ path: borrowing SmallText, into text: inout SmallText) -> Bool {
    text.clear()
    for file in files where path.count == file.path.utf8CodeUnitCount && path.has(file.path, at: 0)
    {
      text.append(file.text)
      return true
    }
    return false
  }
}

extension PageArena.Options {
  /// An arena whose scavenger a check steps by hand, on a clock of its own.
  package static func stepped(_ clock: FakeClock) -> PageArena.Options {
    var options = PageArena.Options()
    options.clock = clock
    options.threadCacheByteCount = 0
    options.scavenging = .manual
    return options
  }
}
