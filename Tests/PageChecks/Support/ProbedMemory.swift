import CSysMem
import SysMem

/// Memory at an address, looked at without a fault.
@safe
struct ProbedMemory {
  private let pointer: UnsafeMutableRawPointer

  /// Memory at `address`; `nil` for 0.
  init?(_ address: UInt) {
    // A number as yet: the kernel is asked before anything is read or written.
    guard let pointer = unsafe UnsafeMutableRawPointer(bitPattern: address) else { return nil }
    unsafe self.pointer = pointer
  }

  /// Whether the kernel can write a byte there. It does: the byte is zero afterwards.
  ///
  /// Where it cannot, it says EFAULT and no signal is sent.
  func isWritable(at offset: UInt = 0) -> Bool {
    let path: StaticString = "/dev/zero"
    // A static string ends in a zero and lives for ever.
    let file = unsafe csm_open_read(
      UnsafeRawPointer(path.utf8Start).assumingMemoryBound(to: CChar.self))
    guard file.error == 0 else { return false }
    defer { csm_close(Int32(truncatingIfNeeded: file.value)) }
    // The kernel checks the address.
    let result = unsafe csm_read(
      Int32(truncatingIfNeeded: file.value), pointer + Int(bitPattern: offset), 1)
    return result.error == 0 && result.value == 1
  }

  /// The byte at an offset, which must be readable.
  subscript(offset: UInt) -> UInt8 {
    get { unsafe pointer.load(fromByteOffset: Int(bitPattern: offset), as: UInt8.self) }
    nonmutating set {
      unsafe pointer.storeBytes(
        of: newValue, toByteOffset: Int(bitPattern: offset), as: UInt8.self)
    }
  }
}

extension Recorder {
  /// Records that bytes by state must be these.
  mutating func expect(
    _ system: SysMem, reserved: UInt, prepared: UInt, ready: UInt,
    _ what: @autoclosure () -> String,
    line: UInt = #line
  ) {
    let actual = system.statistics
    expectEqual(actual.reservedBytes, UInt64(reserved), "\(what()): reserved", line: line)
    expectEqual(actual.preparedBytes, UInt64(prepared), "\(what()): prepared", line: line)
    expectEqual(actual.readyBytes, UInt64(ready), "\(what()): ready", line: line)
  }

  /// Records that a body must not throw.
  mutating func expectNoError(
    _ what: @autoclosure () -> String, line: UInt = #line,
    _ body: (inout Recorder) throws(SysMemError) -> Void
  ) {
    do throws(SysMemError) {
      try body(&self)
      expect(true, what(), line: line)
    } catch {
      fail("\(what()): \(error.description)", line: line)
    }
  }

  /// Records that a body must throw just this.
  mutating func expectError(
    _ expected: SysMemError, _ what: @autoclosure () -> String, line: UInt = #line,
    _ body: () throws(SysMemError) -> Void
  ) {
    do throws(SysMemError) {
      try body()
      fail("\(what()): nothing was refused", line: line)
    } catch {
      expect(
        error == expected, "\(what()): \(error.description), not \(expected.description)",
        line: line)
    }
  }
}
