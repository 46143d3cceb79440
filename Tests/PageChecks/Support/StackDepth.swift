import CTestSystem

/// The bytes of stack that `body` uses on a thread of its own, the end of that thread included;
/// `nil` where there is no thread.
func stackDepth(_ body: @escaping @Sendable () -> Void) -> Int? {
  let job = unsafe Unmanaged.passRetained(StackJob(body))
  // Released when the thread has ended; until then the reference is the thread's.
  defer { unsafe job.release() }
  let depth = unsafe ctest_stack_depth(
    { pointer in
      guard let pointer = unsafe pointer else { return }
      unsafe Unmanaged<StackJob>.fromOpaque(pointer).takeUnretainedValue().run()
    }, job.toOpaque())
  return depth.error == 0 ? Int(bitPattern: depth.value) : nil
}

/// A closure as an object, to be handed to a thread.
private final class StackJob: Sendable {
  let run: @Sendable () -> Void
  init(_ run: @escaping @Sendable () -> Void) { self.run = run }
}
