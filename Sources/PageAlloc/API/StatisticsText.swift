extension PageArena.Statistics {
  /// The names in JSON, and the figures.
  private var figures: [(name: StaticString, value: UInt64)] {
    [
      ("reservedBytes", reservedBytes), ("readyBytes", readyBytes), ("inUseBytes", inUseBytes),
      ("inaccessibleBytes", inaccessibleBytes),
      ("freeMaybeResidentBytes", freeMaybeResidentBytes), ("cachedBytes", cachedBytes),
      ("keptLongBytes", keptLongBytes), ("quarantinedBytes", quarantinedBytes),
      ("scavengedBytes", scavengedBytes),
      ("largestFreeRunPages", UInt64(largestFreeRun)), ("metadataBytes", metadataBytes),
      ("sealedBytes", sealedBytes),
    ]
  }

  /// One JSON object, in one line. Figures are bytes but for those whose names say otherwise; the
  /// share of the processor is in millionths.
  ///
  /// - Complexity: O(1); allocates the text.
  public var json: String {
    var text = "{"
    for figure in figures { append(figure, to: &text) }
    text += "\"returned\":{"
    for figure in returned.figures { append(figure, to: &text) }
    text += "\"backgroundShareMillionths\":\(UInt64(returned.backgroundShare * 1e6))}}"
    return text
  }

  private func append(_ figure: (name: StaticString, value: UInt64), to text: inout String) {
    text += "\"\(figure.name)\":\(figure.value),"
  }
}

extension PageArena.Returned {
  fileprivate var figures: [(name: StaticString, value: UInt64)] {
    [
      ("backgroundBytes", backgroundBytes), ("requestedBytes", requestedBytes),
      ("limitBytes", limitBytes), ("headroomBytes", headroomBytes),
      ("discardedBytes", discardedBytes),
      ("refusedBytes", refusedBytes), ("lazyBytes", lazyBytes),
      ("passes", passes), ("callNanoseconds", callNanoseconds),
      ("backgroundNanoseconds", backgroundNanoseconds),
      ("backgroundElapsedNanoseconds", backgroundElapsedNanoseconds),
      ("limitRefusals", limitRefusals), ("softLimitYields", softLimitYields),
      ("refusedAdvice", refusedAdvice),
    ]
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
    text += " given back; longest run \(largestFreeRun) pages\n"
    text += "            \(mebibytes(cachedBytes)) at hand, "
    text += "\(mebibytes(keptLongBytes)) in long runs, "
    text += "\(mebibytes(quarantinedBytes)) in quarantine\n"
    text += "given back  \(mebibytes(returned.backgroundBytes)) in the background, "
    text += "\(mebibytes(returned.requestedBytes)) on request, "
    text += "\(mebibytes(returned.limitBytes)) for a limit, "
    text += "\(mebibytes(returned.headroomBytes)) in growing\n"
    if returned.refusedBytes + returned.lazyBytes > 0 {
      text += "            \(mebibytes(returned.refusedBytes)) refused, "
      text += "\(mebibytes(returned.lazyBytes)) offered\n"
    }
    text += "background  \(tenths(UInt64(returned.backgroundShare * 10_000)))"
    text += " thousandths of a processor, \(returned.passes) passes\n"
    text += "tables      \(mebibytes(metadataBytes))"
    if sealedBytes > 0 { text += "; sealed, with unused address space: \(mebibytes(sealedBytes))" }
    return text
  }

  /// Numbers with one decimal, without Foundation.
  private func mebibytes(_ byteCount: UInt64) -> String { tenths((byteCount * 10) >> 20) + " MiB" }

  private func tenths(_ value: UInt64) -> String { "\(value / 10).\(value % 10)" }
}
