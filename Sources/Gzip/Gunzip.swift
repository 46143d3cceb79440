/// Whether `bytes` begin as gzip data does. Decided by the two magic bytes, never by a file's name.
package func isGzip(_ bytes: [UInt8]) -> Bool {
  bytes.count >= 2 && bytes[0] == 0x1f && bytes[1] == 0x8b
}

/// Unpacks gzip data, of one member or of several in a row.
///
/// Zero bytes after the last member are padding, as for gzip(1); any others are an error.
///
/// - Parameters:
///   - bytes: The whole file.
///   - limit: The most bytes to produce; a small file can claim to hold a great many.
/// - Returns: The unpacked bytes.
/// - Throws: `GzipError`; nothing of what was unpacked until then is given out.
package func gunzip(_ bytes: [UInt8], limit: Int = 1 << 30) throws(GzipError) -> [UInt8] {
  guard isGzip(bytes) else { throw GzipError.notGzip }
  var inflater = try Inflater()
  var output: [UInt8] = []
  // Deflated traces grow about tenfold. A guess too small costs a copy, one too large only
  // address space.
  output.reserveCapacity(min(limit, 8 * bytes.count))
  var position = 0
  repeat {
    position = try inflater.unpackMember(bytes, from: position, into: &output, limit: limit)
    while position < bytes.count, bytes[position] == 0 { position += 1 }
  } while position < bytes.count
  return output
}
