import CSysMem

/// Runs `body` on a thread for each element, does something meanwhile, and waits for all.
package func runThreads<Element: AnyObject & Sendable>(
  _ elements: [Element], meanwhile: () -> Void = {},
  _ body: @escaping @Sendable (Element) -> Void
) {
  var threads: [pthread_t] = []
  for element in elements {
    let job = unsafe Unmanaged.passRetained(Job { body(element) })
    var thread = pthread_t()
    // The thread takes over the reference.
    let error = unsafe pthread_create(
      &thread, nil,
      { pointer in
        guard let pointer = unsafe pointer else { return nil }
        unsafe Unmanaged<Job>.fromOpaque(pointer).takeRetainedValue().run()
        return nil
      }, job.toOpaque())
    if error == 0 { threads.append(thread) } else { unsafe job.release() }
  }
  meanwhile()
  for thread in threads { pthread_join(thread, nil) }
}

/// A closure as an object, to be handed to a thread.
private final class Job: Sendable {
  let run: @Sendable () -> Void
  init(_ run: @escaping @Sendable () -> Void) { self.run = run }
}
