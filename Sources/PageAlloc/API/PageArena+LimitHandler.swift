// What the program gives back of its own before a limit refuses a request.

extension PageArena {
  /// Sets what is called when a hard limit, or the control group's, is about to refuse a request of
  /// this arena: for a program that can part with memory, such as a cache of its own.
  ///
  /// ```swift
  /// try arena.setLimitHandler { pages in
  ///   print("a request of", pages, "pages")
  ///   return false  // nothing to give back: it is refused
  /// }
  /// ```
  ///
  /// - Parameter handler: is called with the pages of the request; `nil` for none. Where it returns
  ///   `true`, since it freed something, the request is made once more, and refused if it does not
  ///   fit then. It must not hold the arena, or neither ever ends: it lives until the arena's last
  ///   reference goes.
  ///
  /// The thread whose request it is calls it, with no lock of the library's held; the arena may be
  /// used, but not what the request is about, such as the run that is to grow. What a limit refuses
  /// to it, in any arena, is refused at once: it is never called in the middle of itself, nor in
  /// that of a fork, by whose handlers a program may use arenas. Several threads may be in it at
  /// the same time, and what one of them frees another may take. A signal's handler whose request
  /// is refused calls it, too.
  ///
  /// A soft limit refuses nothing, and so calls nobody; nor does the end of the address space, nor
  /// growth in place, which goes elsewhere instead. A child of `fork` has it as its parent. An
  /// arena of a pool has that of the pool.
  ///
  /// Threads that are in the former one go on with it, and what it holds stays until they are done.
  /// - Throws: ``PageArenaError/reentered``.
  /// - Complexity: O(1). Nothing but a refusal looks at it.
  public func setLimitHandler(
    _ handler: (@Sendable (_ pages: Int) -> Bool)?
  ) throws(PageArenaError) {
    try core.requireOutside()
    core.setLimitHandler(handler, waits: false)
  }

  /// The same; returns when no other thread is in the former one. Until then what a limit refuses
  /// is refused at once. A handler that calls it does not wait.
  package func replaceLimitHandler(
    _ handler: (@Sendable (_ pages: Int) -> Bool)?
  ) throws(PageArenaError) {
    try core.requireOutside()
    core.setLimitHandler(handler, waits: true)
  }

  /// Makes a request; where a limit refuses it and the program gives something back, once more.
  ///
  /// - Parameter request: has changed nothing where it throws, and holds nothing then.
  package func askingOnce(
    _ request: () throws(PageArenaError) -> Void
  ) throws(PageArenaError) {
    try core.askingOnce(request)
  }
}
