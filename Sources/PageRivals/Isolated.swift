import CBench
import Foundation
import PageBench

/// Measures in a child process, so that no rival inherits the heap of another and none can take the
/// report down with it.
///
/// - Returns: `nil` where the child died or took more than a minute.
public func isolated(_ body: () -> Figures) -> Figures? {
  // Figures are plain numbers.
  let bytes = inChild { unsafe withUnsafeBytes(of: body()) { unsafe [UInt8]($0) } }
  guard let bytes, bytes.count == MemoryLayout<Figures>.size else { return nil }
  var result = Figures()
  unsafe withUnsafeMutableBytes(of: &result) { unsafe $0.copyBytes(from: bytes) }
  return result
}

/// Does something in a child process.
///
/// - Parameter body: gives what the child is to tell: up to 64 KiB, what a pipe takes at once.
/// - Returns: that; `nil` where the child died or took more than a minute.
public func inChild(_ body: () -> [UInt8]) -> [UInt8]? {
  var ends: [Int32] = [-1, -1]
  // The call writes two numbers.
  guard unsafe pipe(&ends) == 0 else { return nil }
  let child = cbench_fork()
  if child == 0 {
    cbench_alarm(60)
    let told = body()
    // The bytes are there for the call.
    let written = unsafe told.withUnsafeBytes { unsafe write(ends[1], $0.baseAddress, $0.count) }
    _exit(written == told.count ? 0 : 1)
  }
  close(ends[1])
  defer { close(ends[0]) }
  guard child > 0 else { return nil }
  let told = try? FileHandle(fileDescriptor: ends[0], closeOnDealloc: false).readToEnd()
  return cbench_wait(child) == 0 ? [UInt8](told ?? Data()) : nil
}
