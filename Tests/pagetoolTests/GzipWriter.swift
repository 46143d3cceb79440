/// Packs bytes into one gzip member, without compression and without zlib: a second opinion on the
/// format, not a good packer.
func gzipMember(_ bytes: [UInt8]) -> [UInt8] {
  // No name, no time, made on Unix.
  var member: [UInt8] = [0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 3]
  var position = 0
  repeat {
    let length = min(bytes.count - position, 0xffff)
    let isLast = position + length == bytes.count
    member.append(isLast ? 1 : 0)
    member += littleEndian(UInt16(length))
    member += littleEndian(~UInt16(length))
    member += bytes[position..<position + length]
    position += length
  } while position < bytes.count
  return member + littleEndian(crc32(bytes)) + littleEndian(UInt32(bytes.count))
}

private func littleEndian<Number: FixedWidthInteger>(_ number: Number) -> [UInt8] {
  stride(from: 0, to: Number.bitWidth, by: 8).map { UInt8(truncatingIfNeeded: number >> $0) }
}

private func crc32(_ bytes: [UInt8]) -> UInt32 {
  var crc = UInt32.max
  for byte in bytes {
    crc ^= UInt32(byte)
    for _ in 0..<8 { crc = crc & 1 == 1 ? crc >> 1 ^ 0xedb8_8320 : crc >> 1 }
  }
  return ~crc
}
