import CZlib

/// Packs bytes into one gzip member, without a name or a time: the same bytes give the same member.
///
/// - Throws: `GzipError.outOfMemory`.
package func gzip(_ bytes: [UInt8]) throws(GzipError) -> [UInt8] {
  var stream = unsafe z_stream()
  // Invariant: the stream stays where it is from here to `deflateEnd`, as zlib asks: nothing below
  // copies it.
  let packed = unsafe withUnsafeMutablePointer(to: &stream) { stream -> [UInt8]? in
    guard unsafe czlib_deflate_init_gzip(stream) == Z_OK else { return nil }
    defer { unsafe deflateEnd(stream) }
    return unsafe deflate(bytes, with: stream)
  }
  guard let packed else { throw GzipError.outOfMemory }
  return packed
}

private func deflate(_ bytes: [UInt8], with stream: UnsafeMutablePointer<z_stream>) -> [UInt8] {
  var packed: [UInt8] = []
  var position = 0
  var status = Z_OK
  while status != Z_STREAM_END {
    // zlib counts input in 32 bits; what is left over goes in with the next call.
    let offered = min(bytes.count - position, 1 << 30)
    unsafe bytes.withUnsafeBufferPointer { input in
      unsafe withUnsafeTemporaryAllocation(of: UInt8.self, capacity: 1 << 16) { buffer in
        // Invariant: zlib reads `offered` bytes from `position`, which lie within `input`, and
        // writes at most `buffer.count` bytes into `buffer`; it never writes through `next_in`.
        unsafe stream.pointee.next_in = input.baseAddress.map {
          unsafe UnsafeMutablePointer(mutating: $0 + position)
        }
        unsafe stream.pointee.avail_in = UInt32(offered)
        unsafe stream.pointee.next_out = buffer.baseAddress!
        unsafe stream.pointee.avail_out = UInt32(buffer.count)
        let isLast = position + offered == bytes.count
        status = unsafe CZlib.deflate(stream, isLast ? Z_FINISH : Z_NO_FLUSH)
        position += unsafe offered - Int(stream.pointee.avail_in)
        let produced = unsafe buffer.count - Int(stream.pointee.avail_out)
        // Invariant: zlib initialized the first `produced` bytes of `buffer`.
        unsafe packed.append(contentsOf: UnsafeBufferPointer(rebasing: buffer[..<produced]))
      }
    }
  }
  return packed
}
