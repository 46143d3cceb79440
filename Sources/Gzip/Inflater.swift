import CZlib

/// zlib's state for unpacking gzip members, one after the other.
///
/// zlib keeps a pointer from its inner state back to the `z_stream`, so the stream must not move:
/// it lives in memory of its own, which this type owns. `@safe`: the pointer never leaves the type,
/// and it is valid from `init` to `deinit`.
@safe
struct Inflater: ~Copyable {
  private let stream: UnsafeMutablePointer<z_stream>

  init() throws(GzipError) {
    let stream = UnsafeMutablePointer<z_stream>.allocate(capacity: 1)
    // Invariant: the new allocation holds exactly one stream; all zeros is what zlib asks for.
    unsafe stream.initialize(to: z_stream())
    guard unsafe czlib_inflate_init_gzip(stream) == Z_OK else {
      unsafe stream.deallocate()
      throw GzipError.outOfMemory
    }
    unsafe self.stream = stream
  }

  deinit {
    // Invariant: `init` allocated the stream and zlib accepted it; nobody else has the pointer.
    unsafe inflateEnd(stream)
    unsafe stream.deallocate()
  }

  /// Unpacks the member that begins at `start` and appends it to `output`.
  ///
  /// - Returns: The position after the member.
  mutating func unpackMember(
    _ bytes: [UInt8], from start: Int, into output: inout [UInt8], limit: Int
  ) throws(GzipError) -> Int {
    // Invariant: `stream` was initialized in `init`.
    unsafe inflateReset(stream)
    var position = start
    while true {
      let step = unsafe bytes.withUnsafeBufferPointer { input in
        unsafe inflateStep(input, from: position, into: &output)
      }
      position += step.consumed
      if output.count > limit { throw GzipError.tooLarge(limit: limit) }
      switch step.status {
      case Z_STREAM_END:
        return position
      case Z_OK, Z_BUF_ERROR:
        if step.consumed == 0 && step.produced == 0 {
          throw GzipError.truncated(produced: output.count)
        }
      case Z_MEM_ERROR:
        throw GzipError.outOfMemory
      default:
        throw GzipError.corrupt(offset: position, reason: lastMessage)
      }
    }
  }

  /// One call of `inflate`, with at most 64 KiB of output.
  private func inflateStep(
    _ input: UnsafeBufferPointer<UInt8>, from position: Int, into output: inout [UInt8]
  ) -> (status: Int32, consumed: Int, produced: Int) {
    // zlib counts input in 32 bits; what is left over goes in with the next call.
    let offered = min(input.count - position, 1 << 30)
    return unsafe withUnsafeTemporaryAllocation(of: UInt8.self, capacity: 1 << 16) { buffer in
      // Invariant: zlib reads `offered` bytes from `position`, which lie within `input`, and
      // writes at most `buffer.count` bytes into `buffer`; it never writes through `next_in`.
      unsafe stream.pointee.next_in = UnsafeMutablePointer(mutating: input.baseAddress! + position)
      unsafe stream.pointee.avail_in = UInt32(offered)
      unsafe stream.pointee.next_out = buffer.baseAddress!
      unsafe stream.pointee.avail_out = UInt32(buffer.count)
      let status = unsafe inflate(stream, Z_NO_FLUSH)
      let produced = unsafe buffer.count - Int(stream.pointee.avail_out)
      // Invariant: zlib initialized the first `produced` bytes of `buffer`.
      unsafe output.append(contentsOf: UnsafeBufferPointer(rebasing: buffer[..<produced]))
      return unsafe (status, offered - Int(stream.pointee.avail_in), produced)
    }
  }

  /// What zlib says about the last failure.
  private var lastMessage: String {
    // Invariant: `msg` is nil or a static, zero-ended text of zlib.
    guard let message = unsafe stream.pointee.msg else { return "not valid" }
    return unsafe String(cString: message)
  }
}
