// fork, as a program sees it. What happens then: Arena/Fork.swift.

extension PageArena {
  /// Who sees to it that a child of `fork` finds an arena whole.
  public enum ForkHandling: Equatable, Sendable {
    /// The library, by handlers that it registers when it is loaded.
    ///
    /// Handlers of the program's own may use arenas before the fork, in the parent and in the
    /// child. One that was registered after the library was loaded, as those of a program that is
    /// linked with it are, may also hold a lock of its own over the fork, under which other threads
    /// use the arena.
    case automatic
    /// The program, by ``PageArena/prepareForFork()``, ``PageArena/resumeInParentAfterFork()`` and
    /// ``PageArena/resumeInChildAfterFork()``.
    ///
    /// It is for handlers that were registered before the library was loaded and hold a lock under
    /// which other threads use the arena: they run when the library's hold the arena already, and
    /// would wait for ever. They take their own lock first, and then have the arena held.
    case manual
  }

  /// Waits until nothing of the arena is being changed, and keeps it so until the fork is over: the
  /// last thing that a handler of the program's does before a fork.
  ///
  /// The calling thread may use the arena meanwhile; others wait where they need more than their
  /// own cache. Once for each fork; once more changes nothing. It does nothing where the arena's
  /// options do not say ``ForkHandling/manual``.
  ///
  /// - Complexity: O(1); waits until the arena is not being changed.
  public func prepareForFork() { ForkHandlers.prepare { $0(core) } }

  /// Lets others go on after a fork, in the parent: the first thing that a handler of the program's
  /// does there.
  ///
  /// It does nothing where the calling thread has not had the arena held.
  ///
  /// - Complexity: O(1).
  public func resumeInParentAfterFork() { ForkHandlers.resumeInParent(core) }

  /// Makes the arena whole in the child of a fork, without the threads that stayed behind: the
  /// first thing that a handler of the program's does there.
  ///
  /// It does nothing where that was done before.
  ///
  /// - Complexity: O(caches), of all arenas.
  public func resumeInChildAfterFork() { ForkHandlers.resumeInChild() }
}
