/// Reads a caller's struct, which may be that of an older or a newer version of the library.
///
/// - Parameters:
///   - source: of `size` bytes, as its first field says.
///   - value: what the fields are that the caller does not know; all zero at first.
/// - Returns: `false` where the size is none, or something is set that this version does not know.
func readStruct<Value: BitwiseCopyable>(
  _ source: UnsafePointer<Value>, _ size: Int, into value: inout Value
) -> Bool {
  let known = MemoryLayout<Value>.size
  // Two words of 32 bits come first, then 64-bit ones; no struct is larger than a page.
  guard size >= 8, size % 8 == 0, size <= 4096 else { return false }
  // The caller's, of that many bytes.
  let bytes = unsafe UnsafeRawBufferPointer(start: source, count: size)
  for index in known..<max(known, size) where unsafe bytes[index] != 0 { return false }
  unsafe withUnsafeMutableBytes(of: &value) { target in
    unsafe target.copyMemory(from: UnsafeRawBufferPointer(rebasing: bytes.prefix(known)))
  }
  return true
}

/// Writes a struct into a caller's, as far as that has room for it, but for its size.
///
/// - Returns: `false`, with nothing written, where the size is none.
func writeStruct<Value: BitwiseCopyable>(
  _ value: Value, to target: UnsafeMutablePointer<Value>, _ size: Int
) -> Bool {
  // No struct is larger than a page; one with words of 32 bits may end in the middle of 64.
  guard size >= 16, size <= 4096, size % 8 == 0 || size == MemoryLayout<Value>.size else {
    return false
  }
  let count = min(size, MemoryLayout<Value>.size)
  // The size stays what it is. The caller's struct has that many bytes.
  unsafe withUnsafeBytes(of: value) { source in
    unsafe (UnsafeMutableRawPointer(target) + 4)
      .copyMemory(from: source.baseAddress! + 4, byteCount: count - 4)
  }
  return true
}
