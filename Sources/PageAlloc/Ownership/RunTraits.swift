/// What makes a run other than plain memory, so that its end knows what to undo.
@usableFromInline
struct RunTraits: OptionSet, Sendable {
  /// The set as bits.
  @usableFromInline let rawValue: UInt16

  /// A set from its bits.
  @inlinable
  init(rawValue: UInt16) { self.rawValue = rawValue }

  /// A guard lies before the run.
  static let guardBefore = RunTraits(rawValue: 1)
  /// A guard lies after the run.
  static let guardAfter = RunTraits(rawValue: 2)
  /// The contents must not be seen by the next owner.
  static let wiped = RunTraits(rawValue: 4)
  /// The access rights may not be those of plain memory.
  static let protected = RunTraits(rawValue: 8)
  /// Some of it is locked in memory.
  static let locked = RunTraits(rawValue: 16)
  /// It is left out of core dumps.
  static let undumped = RunTraits(rawValue: 32)
  /// Its pages came from elsewhere; the kernel keeps such a mapping apart from its neighbours.
  static let moved = RunTraits(rawValue: 64)

  /// Its guards are access rights, each of which is a mapping: markers could not be had.
  static let mappedGuards = RunTraits(rawValue: 128)
  /// The contents were given to the kernel; the owner may have written others since.
  static let discarded = RunTraits(rawValue: 256)

  /// Any access faults, since all of it was made so at once.
  static let closed = RunTraits(rawValue: 512)
  /// Some of its pages may be decommitted: the run table knows which. It is protected then, too.
  static let decommitted = RunTraits(rawValue: 1024)
  /// The kernel was told something about huge pages of some of it.
  static let advised = RunTraits(rawValue: 2048)

  /// Those that need mappings of their own.
  static let mapped: RunTraits = [.protected, .locked, .undumped, .moved, .advised]
  /// Those that a part of a run has, when the run has them.
  static let inherited: RunTraits = [
    .wiped, .protected, .locked, .undumped, .moved, .mappedGuards, .discarded, .closed,
    .decommitted, .advised,
  ]
  /// Those that two runs must have in common to become one.
  static let alike = inherited.subtracting(.decommitted)

  /// Those that do not keep a run from being cut, or moved.
  static let plainMemory: RunTraits = [.wiped, .discarded]
}
