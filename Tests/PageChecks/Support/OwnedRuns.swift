import CSysMem
import PageAlloc
import SysMem

extension PageArena {
  /// Takes a run with an owner, or records why not.
  func own(
    _ pages: Int, alignment: Int = PageArena.pageSize, zeroed: Bool = false, guarded: Bool = false,
    _ recorder: inout Recorder, line: UInt = #line
  ) -> PageRun? {
    do throws(PageArenaError) {
      let run =
        guarded
        ? try allocateGuardedRun(pages: pages, alignment: alignment, zeroed: zeroed)
        : try allocateRun(pages: pages, alignment: alignment, zeroed: zeroed)
      recorder.expect(true, "a run")
      return run
    } catch {
      recorder.fail("run of \(pages): \(error.description)", line: line)
      return nil
    }
  }
}

extension Recorder {
  /// Records that something throws nothing.
  mutating func succeeds(
    _ what: StaticString, line: UInt = #line, _ body: () throws(PageArenaError) -> Void
  ) {
    do throws(PageArenaError) {
      try body()
      expect(true, what.description)
    } catch { fail("\(what): \(error.description)", line: line) }
  }

  /// Records that something throws this error.
  mutating func throwsError(
    _ expected: PageArenaError, line: UInt = #line, _ body: () throws(PageArenaError) -> Void
  ) {
    do throws(PageArenaError) {
      try body()
      fail("nothing thrown, not: \(expected.description)", line: line)
    } catch {
      expect(error == expected, "\(error.description), not: \(expected.description)", line: line)
    }
  }
}

/// Whether the kernel can read a byte there.
func isReadable(_ address: UInt) -> Bool { csm_is_readable(address) == 1 }

/// How many mappings the process has, but for the C library's heap: in a child what it grows by is
/// a mapping of its own.
func mappingCount() -> Int {
  guard let file = withPath("/proc/self/maps") else { return -1 }
  defer { csm_close(file) }
  var buffer = [UInt8](repeating: 0, count: 1 << 16)
  var lines = 0
  // The last six characters; "[heap]" is what a line of the heap's ends with.
  var end: UInt64 = 0
  while true {
    // The buffer is as long as it says.
    let read = unsafe buffer.withUnsafeMutableBytes {
      unsafe csm_read(file, $0.baseAddress, $0.count)
    }
    if read.error != 0 || read.value == 0 { return lines }
    for index in 0..<Int(read.value) {
      if buffer[index] == 10, end != 0x5b68_6561_705d { lines += 1 }
      end = (end << 8 | UInt64(buffer[index])) & 0xffff_ffff_ffff
    }
  }
}

private func withPath(_ path: StaticString) -> Int32? {
  // A static string ends in a zero and lives for ever.
  let file = unsafe csm_open_read(
    UnsafeRawPointer(path.utf8Start).assumingMemoryBound(to: CChar.self))
  return file.error == 0 ? Int32(truncatingIfNeeded: file.value) : nil
}

extension PageRun {
  /// Writes a value at the start and the end of every page.
  mutating func stamp(_ value: UInt64) {
    var words = mutableElements(of: UInt64.self)
    for page in 0..<words.count / 1024 {
      words[page * 1024] = value &+ UInt64(page)
      words[page * 1024 + 1023] = ~value
    }
  }

  /// Whether what `stamp` wrote is still there, in the first pages of the run.
  func isStamped(_ value: UInt64, pages: Int) -> Bool {
    let words = elements(of: UInt64.self)
    for page in 0..<pages
    where words[page * 1024] != value &+ UInt64(page) || words[page * 1024 + 1023] != ~value {
      return false
    }
    return true
  }

  /// Whether pages from `first` on are zero.
  func isZero(from first: Int = 0) -> Bool {
    let words = elements(of: UInt64.self)
    for index in first * 1024..<words.count where words[index] != 0 { return false }
    return true
  }
}
