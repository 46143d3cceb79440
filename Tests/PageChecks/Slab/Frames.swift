import PageAlloc

/// A frame that a check got from a slab, to write, to read and to free.
@safe
struct Frame: Sendable {
  // Invariant: the check touches the memory only while the frame is allocated.
  nonisolated(unsafe) let pointer: UnsafeMutableRawPointer

  init(_ pointer: UnsafeMutableRawPointer) { unsafe self.pointer = pointer }

  /// What is at an address, to be given to a slab wrongly; `nil` at 0.
  init?(address: UInt) {
    guard let pointer = unsafe UnsafeMutableRawPointer(bitPattern: address) else { return nil }
    unsafe self.pointer = pointer
  }

  var address: UInt { unsafe UInt(bitPattern: pointer) }

  /// Writes a value at the start and the end of so many bytes.
  func stamp(_ value: UInt64, _ byteCount: Int) {
    unsafe pointer.storeBytes(of: value, as: UInt64.self)
    unsafe pointer.storeBytes(of: ~value, toByteOffset: byteCount - 8, as: UInt64.self)
  }

  /// Whether what `stamp` wrote is still there.
  func isStamped(_ value: UInt64, _ byteCount: Int) -> Bool {
    unsafe pointer.load(as: UInt64.self) == value
      && pointer.load(fromByteOffset: byteCount - 8, as: UInt64.self) == ~value
  }
}

extension PageSlab {
  func frame() throws(PageArenaError) -> Frame { unsafe Frame(try allocate()) }

  /// Takes a frame, or records why not.
  func take(_ recorder: inout Recorder, line: UInt = #line) -> Frame? {
    do throws(PageArenaError) {
      return try frame()
    } catch {
      recorder.fail("a frame: \(error.description)", line: line)
      return nil
    }
  }

  /// Takes so many frames; fewer where one is refused, which is recorded.
  func take(_ count: Int, _ recorder: inout Recorder, line: UInt = #line) -> [Frame] {
    var frames: [Frame] = []
    while frames.count < count, let frame = take(&recorder, line: line) { frames.append(frame) }
    recorder.expectEqual(frames.count, count, "frames", line: line)
    return frames
  }

  /// Frees a frame, or records why not.
  func give(_ frame: Frame, _ recorder: inout Recorder, line: UInt = #line) {
    if let error = errorOfGiving(frame) {
      recorder.fail("frame: \(error.description)", line: line)
    }
  }

  func give(_ frames: [Frame], _ recorder: inout Recorder, line: UInt = #line) {
    for frame in frames { give(frame, &recorder, line: line) }
  }

  /// The error that an allocation ends with; `nil` where it is fine.
  func errorOfTaking() -> PageArenaError? {
    do throws(PageArenaError) {
      _ = try frame()
      return nil
    } catch { return error }
  }

  /// The error that a free ends with; `nil` where it is fine.
  func errorOfGiving(_ frame: Frame) -> PageArenaError? {
    do throws(PageArenaError) {
      unsafe try deallocate(frame.pointer)
      return nil
    } catch { return error }
  }

  /// The frame in use that an address lies in; 0 for none.
  func frame(at address: UInt) -> UInt {
    guard let place = Frame(address: address) else { return 0 }
    return unsafe UInt(bitPattern: frame(containing: place.pointer))
  }

  func holds(_ address: UInt) -> Bool {
    // Only the address is looked at.
    Frame(address: address).map { unsafe contains($0.pointer) } ?? false
  }
}

/// Makes a slab, or records why there is none.
func makeSlab(
  _ frameByteCount: Int, in arena: PageArena, _ recorder: inout Recorder, line: UInt = #line
) -> PageSlab? {
  do throws(PageArenaError) {
    return try PageSlab(frameByteCount: frameByteCount, in: arena)
  } catch {
    recorder.fail("a slab: \(error.description)", line: line)
    return nil
  }
}

/// Sizes that there are.
let frameSizes = [512, 1024, 2048, 4096]
