import PageAlloc

/// Numbers from bytes, two each, so that a fuzzer can lead a storm: any bytes make a legal one.
struct ByteSource: RandomNumberGenerator {
  private let bytes: [UInt8]
  private var position = 0

  init(_ bytes: [UInt8]) { self.bytes = bytes }

  /// Whether all bytes are used up; from then on every number is 0.
  var isAtEnd: Bool { position >= bytes.count }

  mutating func next() -> UInt64 {
    var number: UInt64 = 0
    for shift: UInt64 in [0, 8] where position < bytes.count {
      number |= UInt64(bytes[position]) << shift
      position += 1
    }
    return number
  }
}

/// A storm that lasts as long as the bytes, on an arena without a thread: it is the same each time.
package func runStorm(bytes: [UInt8], _ recorder: inout Recorder) {
  guard var storm = Storm(source: ByteSource(bytes), scavenging: .manual) else {
    recorder.fail("no arena")
    return
  }
  while !storm.source.isAtEnd, recorder.isGood { storm.step(&recorder) }
  if recorder.isGood { storm.finish(&recorder) }
}
