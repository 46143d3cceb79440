import CDiagnosis
import SysMem

/// Who did something to a run: a thread, and the calls that it was inside of.
package struct Trace: BitwiseCopyable {
  /// The thread's number, as the kernel counts.
  package private(set) var thread: UInt32 = 0
  private var addresses = BoundedArray<UInt, 16>(filler: 0)

  /// The most calls that are kept, the library's own included.
  package static var depth: Int { 16 }

  /// How many calls are known.
  package var count: Int { addresses.count }

  /// Nobody.
  package init() {}

  /// A thread, and calls of its; what does not fit is left out.
  package init(thread: UInt32, _ calls: UnsafeBufferPointer<UInt>) {
    self.thread = thread
    for index in 0..<min(calls.count, Self.depth) {
      // Below the count of the calls.
      unsafe addresses.append(calls[index])
    }
  }

  /// The calling thread, here.
  ///
  /// It allocates nothing, but must not be made under a lock: unwinding takes microseconds.
  @inline(never)
  package static func here() -> Trace {
    var trace = Trace()
    trace.thread = cdg_thread()
    // As many words as are said.
    unsafe trace.addresses.append { unsafe cdg_trace($0.baseAddress, $0.count) }
    return trace
  }

  /// Where a call returns to; 0 is the innermost.
  package subscript(index: Int) -> UInt {
    precondition(index >= 0 && index < count)
    return addresses[index]
  }
}
