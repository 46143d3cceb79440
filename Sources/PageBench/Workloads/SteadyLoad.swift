/// Loads of large runs, none of which fits the holes of the others. In each round one run goes, and
/// another comes.
public enum SteadyLoad: Sendable {
  /// Four runs of 8 to 24 MiB whose sizes go up and down; the oldest goes.
  case saw
  /// Forty runs of 1 to 5 MiB that live for a random time.
  case random
  /// Eight runs of 1 to 33 MiB that live for a random time.
  case wide
  /// Forty runs of 1.2 MiB, then forty of 5.5 MiB in their places, one after another; and again.
  case swing

  /// How many runs live.
  var liveCount: Int {
    switch self {
    case .saw: 4
    case .random, .swing: 40
    case .wide: 8
    }
  }

  /// Which run goes in a round, and how many pages the next one has.
  func next(_ round: Int, _ random: inout Random) -> (place: Int, pages: Int) {
    switch self {
    case .saw: (round % 4, 1_024 + round * 7 % 33 * 64)
    case .random: (random.below(40), 130 + random.below(500))
    case .wide: (random.below(8), 130 + random.below(4_096))
    case .swing: (round % 40, round / 40 % 2 == 0 ? 150 : 700)
    }
  }
}
