import CSysMem

/// Tables that contradict each other end the process, which says first what they hold.
package let dumpChecks: [Check] = [
  Check("dump: damaged tables trap, and what they hold is told") { recorder in
    if leavesOutFork(&recorder) { return }
    for damage in damages {
      recorder.context = damage.name.description
      var reader: Int32 = -1
      // The descriptor is written where there is a child.
      let child = unsafe csm_fork_heard(&reader)
      if child.error != 0 { return recorder.fail("no child") }
      if child.value == 0 {
        damage.meet()
        csm_exit_now(0)
      }
      let text = readAll(reader)
      csm_close(reader)
      let status = csm_wait(child.value)
      recorder.expect(status.error == 0 && status.value != 0, "the child did not trap")
      for part in damage.dump {
        recorder.expect(contains(text, part.description), "no \"\(part)\" in:\n\(text)")
      }
    }
  }
]

/// All that comes through a pipe until its other end is closed.
private func readAll(_ file: Int32) -> String {
  var bytes: [UInt8] = []
  var buffer = [UInt8](repeating: 0, count: 4096)
  while true {
    // The buffer is as long as it says.
    let read = unsafe buffer.withUnsafeMutableBytes {
      unsafe csm_read(file, $0.baseAddress, $0.count)
    }
    if read.error != 0 || read.value == 0 { return String(decoding: bytes, as: UTF8.self) }
    bytes.append(contentsOf: buffer[0..<Int(read.value)])
  }
}
