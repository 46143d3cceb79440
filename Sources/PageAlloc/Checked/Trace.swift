import CDiagnosis

/// Who did something to a run: a thread, and the calls that it was inside of.
struct Trace {
  /// The thread's number, as the kernel counts.
  private(set) var thread: UInt32 = 0
  /// How many calls are known.
  private(set) var count = 0
  private var addresses = InlineArray<16, UInt>(repeating: 0)

  /// The most calls that are kept, the library's own included.
  static var depth: Int { 16 }

  /// Nobody.
  init() {}

  /// A thread, and calls of its; what does not fit is left out.
  init(thread: UInt32, _ calls: UnsafeBufferPointer<UInt>) {
    self.thread = thread
    count = min(calls.count, Self.depth)
    for index in 0..<count {
      // Below both counts.
      unsafe addresses[unchecked: index] = calls[index]
    }
  }

  /// The calling thread, here.
  ///
  /// It allocates nothing, but must not be made under a lock: unwinding takes microseconds.
  @inline(never)
  static func here() -> Trace {
    var trace = Trace()
    trace.thread = cdg_thread()
    var span = trace.addresses.mutableSpan
    // As many words as are said.
    trace.count = unsafe span.withUnsafeMutableBufferPointer {
      unsafe cdg_trace($0.baseAddress, $0.count)
    }
    return trace
  }

  /// Where a call returns to; 0 is the innermost.
  subscript(index: Int) -> UInt {
    precondition(index >= 0 && index < count)
    // Below the count, which is at most the depth; the checked subscript would copy the array.
    return unsafe addresses[unchecked: index]
  }
}
