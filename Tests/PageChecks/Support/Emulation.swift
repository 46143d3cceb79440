import CSysMem

/// Whether an emulator (qemu's user mode) runs the program: what the kernel runs is a file for
/// another machine than ours.
///
/// qemu shows a program its own file as `/proc/self/exe`; the same link of the thread is the
/// kernel's. Where an emulator showed ours there, too, the checks that it cannot do would fail.
var isEmulated: Bool {
  guard let ours = machine(of: "/proc/self/exe"), let real = machine(of: "/proc/thread-self/exe")
  else { return false }
  return ours != real
}

/// For which machine a program is, as the head of its file says; `nil` where it cannot be read.
private func machine(of path: StaticString) -> UInt16? {
  // A static string ends in a zero and lives for ever.
  let opened = unsafe csm_open_read(
    UnsafeRawPointer(path.utf8Start).assumingMemoryBound(to: CChar.self))
  guard opened.error == 0 else { return nil }
  let file = Int32(truncatingIfNeeded: opened.value)
  defer { csm_close(file) }
  var head = InlineArray<20, UInt8>(repeating: 0)
  var span = head.mutableSpan
  // The kernel writes at most the 20 bytes of the span.
  let read = unsafe span.withUnsafeMutableBytes {
    unsafe csm_read(file, $0.baseAddress, $0.count)
  }
  guard read.error == 0, read.value == 20 else { return nil }
  return UInt16(head[18]) | UInt16(head[19]) << 8
}
