/// A figure of an arena, for whoever exports them: a name, what kind of figure it is, and the
/// value.
public struct ArenaFigure: Sendable {
  /// What becomes of it as time goes by.
  public enum Kind: Equatable, Sendable {
    /// What is now: it goes up and down.
    case gauge
    /// What has been since the arena was made: it only goes up.
    case counter
  }

  /// As in JSON, the name of the property as a rule; its end tells the unit: `Bytes`, `Pages`,
  /// `Nanoseconds`, `Millionths`. What has none counts something.
  public let name: String
  /// The kind.
  public let kind: Kind
  /// The value, in that unit.
  public let value: UInt64

  init(_ kind: Kind, _ name: String, _ value: UInt64) {
    self.name = name
    self.kind = kind
    self.value = value
  }
}

extension PageArena.Statistics {
  /// All figures, what was given back and the runs of each size included.
  ///
  /// ```swift
  /// for figure in arena.statistics.figures { print(figure.name, figure.kind, figure.value) }
  /// ```
  /// - Complexity: O(1); allocates the list.
  public var figures: [ArenaFigure] { ownFigures + runSizes.figures + returned.figures }

  private var ownFigures: [ArenaFigure] {
    var figures: [ArenaFigure] = []
    forEachFigure { figures.append(ArenaFigure($0, $1.description, $2)) }
    return figures
  }

  /// Calls `body` with each figure, but for what was given back: its kind, its name and its value.
  package func forEachFigure(_ body: (ArenaFigure.Kind, StaticString, UInt64) -> Void) {
    body(.gauge, "reservedBytes", reservedBytes)
    body(.gauge, "readyBytes", readyBytes)
    body(.gauge, "inUseBytes", inUseBytes)
    body(.gauge, "inaccessibleBytes", inaccessibleBytes)
    body(.gauge, "freeMaybeResidentBytes", freeMaybeResidentBytes)
    body(.gauge, "maybeResidentBytes", maybeResidentBytes)
    body(.gauge, "cachedBytes", cachedBytes)
    body(.gauge, "keptLongBytes", keptLongBytes)
    body(.gauge, "quarantinedBytes", quarantinedBytes)
    body(.gauge, "scavengedBytes", scavengedBytes)
    body(.gauge, "regionBytes", regionBytes)
    body(.gauge, "largestFreeRunPages", UInt64(clamping: largestFreeRun))
    body(.gauge, "largestCommittedRunPages", UInt64(clamping: largestCommittedRun))
    body(.gauge, "metadataBytes", metadataBytes)
    body(.gauge, "sealedBytes", sealedBytes)
    body(.counter, "allocations", allocations)
    body(.counter, "frees", frees)
    body(.counter, "refusals", refusals)
    body(.counter, "growths", growths)
    body(.gauge, "peakInUseBytes", peakInUseBytes)
    body(.gauge, "peakMaybeResidentBytes", peakMaybeResidentBytes)
  }

  /// One JSON object, in one line. Figures are bytes but for those whose names say otherwise; the
  /// share of the processor is in millionths.
  ///
  /// - Complexity: O(1); allocates the text.
  public var json: String {
    var text = "{"
    for figure in ownFigures { text += "\"\(figure.name)\":\(figure.value)," }
    text += "\"runSizes\":\(runSizes.json),\"returned\":{"
    for (index, figure) in returned.figures.enumerated() {
      text += "\(index == 0 ? "" : ",")\"\(figure.name)\":\(figure.value)"
    }
    return text + "}}"
  }
}

extension PageArena.Returned {
  /// The share of a processor; figures that came from elsewhere may be anything.
  fileprivate var millionths: UInt64 { UInt64(min(backgroundShare, 1e6) * 1e6) }

  /// All figures; the share of the processor is in millionths.
  public var figures: [ArenaFigure] {
    var figures: [ArenaFigure] = []
    forEachFigure { figures.append(ArenaFigure($0, $1.description, $2)) }
    return figures
  }

  /// Calls `body` with each figure: its kind, its name and its value.
  package func forEachFigure(_ body: (ArenaFigure.Kind, StaticString, UInt64) -> Void) {
    body(.counter, "backgroundBytes", backgroundBytes)
    body(.counter, "requestedBytes", requestedBytes)
    body(.counter, "limitBytes", limitBytes)
    body(.counter, "headroomBytes", headroomBytes)
    body(.counter, "discardedBytes", discardedBytes)
    body(.counter, "refusedBytes", refusedBytes)
    body(.counter, "lazyBytes", lazyBytes)
    body(.counter, "passes", passes)
    body(.counter, "callNanoseconds", callNanoseconds)
    body(.counter, "backgroundNanoseconds", backgroundNanoseconds)
    body(.counter, "backgroundElapsedNanoseconds", backgroundElapsedNanoseconds)
    body(.counter, "limitRefusals", limitRefusals)
    body(.counter, "softLimitYields", softLimitYields)
    body(.counter, "refusedAdvice", refusedAdvice)
    body(.gauge, "backgroundShareMillionths", millionths)
  }
}

extension PageArena.Statistics: CustomStringConvertible {
  /// A few lines for people:
  /// ```
  /// in use        120.5 MiB of 128.0 MiB committed, 4096.0 MiB reserved
  /// free            3.5 MiB maybe resident, 4.0 MiB given back; longest run 512 pages
  ///                 1.5 MiB at hand, 0.0 MiB in long runs, 0.0 MiB in quarantine
  /// given back    900.0 MiB in the background, 0.0 MiB on request, 0.0 MiB for a limit, ...
  /// background      9.8 thousandths of a processor, 24 passes
  /// tables          0.1 MiB
  /// peaks         130.0 MiB in use, 140.0 MiB maybe resident
  /// calls         30500 allocations, 15000 frees, 0 refusals, 12 growths
  /// ```
  /// A line more tells what of that in use is inaccessible, and one what the kernel refused or may
  /// take later, where there is any.
  public var description: String {
    var text = "in use      \(mebibytes(inUseBytes)) of \(mebibytes(readyBytes)) committed, "
    text += "\(mebibytes(reservedBytes)) reserved\n"
    if inaccessibleBytes > 0 {
      text += "            \(mebibytes(inaccessibleBytes)) inaccessible and empty\n"
    }
    text += "free        \(mebibytes(freeMaybeResidentBytes)) maybe resident, "
    text += "\(mebibytes(scavengedBytes))"
    text += " given back; longest run \(largestCommittedRun) pages\n"
    text += "            \(mebibytes(cachedBytes)) at hand, "
    text += "\(mebibytes(keptLongBytes)) in long runs, "
    text += "\(mebibytes(quarantinedBytes)) in quarantine\n"
    text += "given back  \(mebibytes(returned.backgroundBytes)) in the background, "
    text += "\(mebibytes(returned.requestedBytes)) on request, "
    text += "\(mebibytes(returned.limitBytes)) for a limit, "
    text += "\(mebibytes(returned.headroomBytes)) in growing\n"
    if returned.refusedBytes > 0 || returned.lazyBytes > 0 {
      text += "            \(mebibytes(returned.refusedBytes)) refused, "
      text += "\(mebibytes(returned.lazyBytes)) offered\n"
    }
    text += "background  \(tenths(returned.millionths / 100))"
    text += " thousandths of a processor, \(returned.passes) passes\n"
    text += "tables      \(mebibytes(metadataBytes))"
    if sealedBytes > 0 { text += "; sealed, with unused address space: \(mebibytes(sealedBytes))" }
    text += "\npeaks       \(mebibytes(peakInUseBytes)) in use, "
    text += "\(mebibytes(peakMaybeResidentBytes)) maybe resident"
    text += "\ncalls       \(allocations) allocations, \(frees) frees, "
    text += "\(refusals) refusals, \(growths) growths"
    return text
  }

  /// Numbers with one decimal, without Foundation.
  private func mebibytes(_ byteCount: UInt64) -> String {
    tenths((byteCount >> 20) * 10 + ((byteCount & 0xf_ffff) * 10) >> 20) + " MiB"
  }

  private func tenths(_ value: UInt64) -> String { "\(value / 10).\(value % 10)" }
}
