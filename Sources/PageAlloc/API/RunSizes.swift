extension PageArena {
  /// How many runs there are of each size, by powers of two.
  ///
  /// ```swift
  /// let sizes = arena.statistics.runSizes
  /// for power in 0..<PageArena.RunSizes.powers where sizes[power] > 0 {
  ///   print(sizes[power], "runs of", 1 << power, "pages and more")
  /// }
  /// ```
  public struct RunSizes: Equatable, Sendable {
    // What the arena counts, as it is: a reading copies it under the lock.
    private var counts: SizeCounts

    /// How many powers of two there are: the longest run that there can be has 2^19 pages.
    public static var powers: Int { SizeCounts.powers }

    /// The runs of 2^`power` pages and more, but fewer than twice as many.
    ///
    /// - Precondition: `power` is in 0 ..< ``powers``.
    /// - Complexity: O(1).
    public subscript(power: Int) -> UInt64 {
      precondition(power >= 0 && power < Self.powers, "power is not in 0 ..< powers")
      // A cut that was not told yet may have made one too few of some size.
      return UInt64(max(0, counts[power]))
    }

    init(_ sizes: SizeCounts) { counts = sizes }

    /// Those of two arenas.
    init(_ one: Self, plus other: Self) {
      counts = SizeCounts()
      for power in 0..<Self.powers { counts[power] = Int(clamping: one[power] &+ other[power]) }
    }

    /// Whether there are as many runs of each size.
    public static func == (a: RunSizes, b: RunSizes) -> Bool {
      for power in 0..<powers where a[power] != b[power] { return false }
      return true
    }
  }
}

extension PageArena.RunSizes {
  /// All figures: "runsOf1Pages", "runsOf2Pages", "runsOf4Pages" and so on, each with those of up
  /// to twice as many pages.
  public var figures: [ArenaFigure] {
    (0..<Self.powers).map { ArenaFigure(.gauge, "runsOf\(1 << $0)Pages", self[$0]) }
  }

  /// A JSON array: how many runs of each power of two.
  var json: String {
    var text = "["
    for power in 0..<Self.powers { text += "\(power == 0 ? "" : ",")\(self[power])" }
    return text + "]"
  }
}

#if !hasFeature(Embedded)
  extension PageArena.RunSizes: Codable {
    /// Reads as many numbers as there are powers; those that are missing are 0.
    ///
    /// - Throws: what `decoder` throws.
    /// - Complexity: O(1).
    public init(from decoder: any Decoder) throws {
      var list = try decoder.unkeyedContainer()
      counts = SizeCounts()
      for power in 0..<Self.powers where !list.isAtEnd {
        counts[power] = Int(clamping: try list.decode(UInt64.self))
      }
    }

    /// Writes how many runs there are of each power.
    ///
    /// - Throws: what `encoder` throws.
    /// - Complexity: O(1).
    public func encode(to encoder: any Encoder) throws {
      var list = encoder.unkeyedContainer()
      for power in 0..<Self.powers { try list.encode(self[power]) }
    }
  }
#endif
