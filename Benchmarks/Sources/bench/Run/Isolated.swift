import CBench
import Foundation
import PageBench

/// Measures in a child process, so that no rival inherits the heap of another and none can take the
/// report down with it.
///
/// - Returns: `nil` where the child died or took more than a minute.
func isolated(_ body: () -> Figures) -> Figures? {
  var ends: [Int32] = [-1, -1]
  // The call writes two numbers.
  guard unsafe pipe(&ends) == 0 else { return nil }
  let child = cbench_fork()
  if child == 0 {
    cbench_alarm(60)
    let result = body()
    _exit(sendFigures(result, to: ends[1]) ? 0 : 1)
  }
  close(ends[1])
  defer { close(ends[0]) }
  guard child > 0 else { return nil }
  let result = receiveFigures(from: ends[0])
  return cbench_wait(child) == 0 ? result : nil
}

private func sendFigures(_ measurement: Figures, to file: Int32) -> Bool {
  // A measurement is plain numbers, smaller than what a pipe takes at once.
  unsafe withUnsafeBytes(of: measurement) { bytes in
    unsafe write(file, bytes.baseAddress, bytes.count) == bytes.count
  }
}

private func receiveFigures(from file: Int32) -> Figures? {
  var result = Figures()
  // As above: it comes whole or, from a child that died, not at all.
  let isWhole = unsafe withUnsafeMutableBytes(of: &result) { bytes in
    unsafe read(file, bytes.baseAddress, bytes.count) == bytes.count
  }
  return isWhole ? result : nil
}
