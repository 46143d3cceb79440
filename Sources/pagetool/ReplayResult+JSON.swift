import PageTrace

extension ReplayResult: Encodable {
  private enum Key: String, CodingKey {
    case file, error, name, checking, operations, closingFrees, threads
    case bytesWritten, bytesChecked, elapsedNanoseconds, nanosecondsPerOperation
    case allocateCalls, freeCalls, peakLivePages, endLivePages, residentBytes
    case readyBytes, footprint, fragmentation, metadataBytes, inUseBytesAfter, releasedBytes
    case returnNanoseconds
  }

  private struct Calls: Encodable {
    let count: Int
    let timed: Int
    let meanNanoseconds: Double?
    let medianNanoseconds: Double?

    init(_ times: CallTimes) {
      count = times.count
      timed = times.timedCount
      meanNanoseconds = times.timedCount > 0 ? times.meanNanoseconds : nil
      medianNanoseconds = times.timedCount > 0 ? times.medianNanoseconds : nil
    }

    private enum Key: String, CodingKey { case count, timed, meanNanoseconds, medianNanoseconds }

    func encode(to encoder: any Encoder) throws {
      var object = encoder.container(keyedBy: Key.self)
      try object.encode(count, forKey: .count)
      try object.encode(timed, forKey: .timed)
      // Written out, since a synthesized coder leaves nil away.
      try object.encode(meanNanoseconds, forKey: .meanNanoseconds)
      try object.encode(medianNanoseconds, forKey: .medianNanoseconds)
    }
  }

  private enum ResidentKey: String, CodingKey { case before, peak, returned, after }

  func encode(to encoder: any Encoder) throws {
    var object = encoder.container(keyedBy: Key.self)
    try object.encode(file, forKey: .file)
    if let failure { return try object.encode(failure, forKey: .error) }
    guard let header, let report else { return }
    try object.encode(header.name, forKey: .name)
    try object.encode(checking == .everyByte ? "every-byte" : "one-word", forKey: .checking)
    try object.encode(report.eventCount, forKey: .operations)
    try object.encode(report.closingFreeCount, forKey: .closingFrees)
    try object.encode(header.threadCount, forKey: .threads)
    try object.encode(report.bytesWritten, forKey: .bytesWritten)
    try object.encode(report.bytesChecked, forKey: .bytesChecked)
    try object.encode(report.elapsedNanoseconds, forKey: .elapsedNanoseconds)
    try object.encode(report.nanosecondsPerOperation, forKey: .nanosecondsPerOperation)
    try object.encode(Calls(report.allocateCalls), forKey: .allocateCalls)
    try object.encode(Calls(report.freeCalls), forKey: .freeCalls)
    try object.encode(report.peakLivePages, forKey: .peakLivePages)
    try object.encode(header.endLivePages, forKey: .endLivePages)
    var resident = object.nestedContainer(keyedBy: ResidentKey.self, forKey: .residentBytes)
    try resident.encode(report.residentBefore, forKey: .before)
    try resident.encode(report.residentPeak, forKey: .peak)
    try resident.encode(report.residentReturned, forKey: .returned)
    try resident.encode(report.residentAfter, forKey: .after)
    try object.encode(
      report.residentReturned.map { _ in report.returnNanoseconds }, forKey: .returnNanoseconds)
    try object.encode(report.peakReadyBytes, forKey: .readyBytes)
    try object.encode(report.footprint, forKey: .footprint)
    try object.encode(report.fragmentation, forKey: .fragmentation)
    try object.encode(report.usageAfter.metadataBytes, forKey: .metadataBytes)
    try object.encode(report.usageAfter.inUseBytes, forKey: .inUseBytesAfter)
    try object.encode(report.releasedBytes, forKey: .releasedBytes)
  }
}
