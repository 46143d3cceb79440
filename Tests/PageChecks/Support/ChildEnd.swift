import CSysMem
import CTestSystem

/// How a child ended, and what it said.
struct ChildEnd {
  let status: Int
  let text: [UInt8]

  /// A trap ended it: `ctest_fork_heard` has it end so that what it ran through is counted.
  var isTrap: Bool { status > 128 && status < 256 }

  func has(_ part: StaticString) -> Bool { count(part) > 0 }

  func count(_ part: StaticString) -> Int {
    // A literal's bytes last as long as the program.
    let part = unsafe UnsafeBufferPointer(start: part.utf8Start, count: part.utf8CodeUnitCount)
    var (start, count) = (0, 0)
    while start + part.count <= text.count {
      if unsafe text[start..<start + part.count].elementsEqual(part) { count += 1 }
      start += 1
    }
    return count
  }

  func expect(_ part: StaticString, _ recorder: inout Recorder, line: UInt = #line) {
    recorder.expect(
      has(part), "nothing like: \(part.description) in: \(String(decoding: text, as: UTF8.self))",
      line: line)
  }

  func expectOnce(_ part: StaticString, _ recorder: inout Recorder, line: UInt = #line) {
    recorder.expectEqual(count(part), 1, "times: \(part.description)", line: line)
  }

  func expectNames(_ names: [StaticString], _ recorder: inout Recorder, line: UInt = #line) {
    guard hasTraces else {
      return recorder.leaveOut("back-traces: Embedded Swift emits no tables to unwind by")
    }
    for name in names { expect(name, &recorder, line: line) }
  }

  func expectNothing(_ recorder: inout Recorder, line: UInt = #line) {
    recorder.expect(!has("PageAlloc"), String(decoding: text, as: UTF8.self), line: line)
  }
}

/// Runs something in a child, which ends with status 7 where nothing else ends it.
func inHeardChild(_ recorder: inout Recorder, _ body: () -> Void) -> ChildEnd {
  var reader: CInt = -1
  // The descriptor is written where there is a child.
  let child = unsafe ctest_fork_heard(&reader)
  if child.error != 0 {
    recorder.fail("no child")
    return ChildEnd(status: -1, text: [])
  }
  if child.value == 0 {
    body()
    ctest_exit_now(7)
  }
  var text: [UInt8] = []
  var buffer = [UInt8](repeating: 0, count: 4096)
  while true {
    // The buffer is as long as it says.
    let read = unsafe buffer.withUnsafeMutableBytes {
      unsafe csm_read(reader, $0.baseAddress, $0.count)
    }
    if read.error != 0 || read.value == 0 { break }
    text.append(contentsOf: buffer[0..<Int(read.value)])
  }
  csm_close(reader)
  return ChildEnd(status: Int(ctest_wait(child.value).value), text: text)
}
