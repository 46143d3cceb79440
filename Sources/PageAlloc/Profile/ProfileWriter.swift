import CDiagnosis
import SysMem

// The file of a profile
// =====================
//
// The message `Profile` of pprof's profile.proto, not compressed:
//
//   1 sample type   alloc_objects, alloc_space, inuse_objects, inuse_space
//   2 sample        of a site: the places of its calls, innermost first, and its four values
//   3 mapping       a file that code was loaded from: where its code lies, path, build id
//   4 location      a place in the code: its address, its mapping, its function
//   5 function      a name, by which the symbols of the file call it
//   6 string table  all text; text is named by its number in it
//
// A place is named by its number + 1, a function by the number + 1 of the first place in it.

/// Writes one profile.
@safe
struct ProfileWriter: ~Copyable {
  private var file: FileWriter
  private var message = ProtobufMessage()
  private var inner = ProtobufMessage()
  private var top = ProtobufMessage()
  private var text = SmallText()
  private var stringCount: UInt64 = 0
  // Invariant: begun by `begin`, ended by `end`.
  private var places = unsafe cdg_places()

  private enum Field {
    static var sampleType: UInt64 { 1 }
    static var sample: UInt64 { 2 }
    static var mapping: UInt64 { 3 }
    static var location: UInt64 { 4 }
    static var function: UInt64 { 5 }
    static var string: UInt64 { 6 }
    static var periodType: UInt64 { 11 }
    static var period: UInt64 { 12 }
    static var defaultSampleType: UInt64 { 14 }
  }

  /// A profile of nothing.
  init(to descriptor: Int32) { file = FileWriter(to: descriptor) }

  /// Makes room for so many calls.
  ///
  /// - Throws: what the kernel refused.
  mutating func begin(callCount: Int) throws(Errno) {
    let error = unsafe cdg_places_begin(&places, callCount)
    if error != 0 { throw Errno(rawValue: error) }
  }

  /// The call of a site.
  mutating func add(call address: UInt) {
    // A return address may lie behind the function that ends in a call.
    unsafe cdg_places_add(&places, address &- 1)
  }

  /// All calls were added: finds out where they lie, and writes all but the samples.
  mutating func writeHead(distance: Int) throws(Errno) {
    cdg_note_modules()
    unsafe cdg_places_find(&places)
    _ = try write("")
    let count = try write("count")
    let bytes = try write("bytes")
    try write(Field.sampleType, try write("alloc_objects"), count)
    try write(Field.sampleType, try write("alloc_space"), bytes)
    try write(Field.sampleType, try write("inuse_objects"), count)
    let held = try write("inuse_space")
    try write(Field.sampleType, held, bytes)
    try write(Field.periodType, try write("space"), bytes)
    top.add(Field.period, UInt64(distance))
    top.add(Field.defaultSampleType, held)
    try writeTop()
    try writeMappings()
    try writeLocations()
  }

  /// A sample: the calls of a site, and its values. One of a site that came after the head was
  /// begun is left out, since its places are not in the file.
  mutating func write(
    calls: BoundedArray<UInt, 32>, _ values: InlineArray<4, UInt>
  ) throws(Errno) {
    if !isKnown(calls) { return }
    message.clear()
    for index in firstOfOthers(calls)..<calls.count {
      message.addElement(1, UInt64(number(of: calls[index])) + 1)
    }
    for index in 0..<4 { message.addElement(2, UInt64(values[index])) }
    top.add(Field.sample, message.bytes)
    try writeTop()
  }

  /// Writes what is left.
  mutating func flush() throws(Errno) { try file.flush() }

  /// Gives the room back.
  mutating func end() { unsafe cdg_places_end(&places) }

  /// What is not the library's own.
  private mutating func firstOfOthers(_ calls: BoundedArray<UInt, 32>) -> Int {
    for index in 0..<calls.count
    where unsafe cdg_place_is_own(&places, number(of: calls[index])) == 0 {
      return index
    }
    return 0
  }

  /// Whether all calls were added.
  private mutating func isKnown(_ calls: BoundedArray<UInt, 32>) -> Bool {
    for index in 0..<calls.count
    where unsafe cdg_place_is_known(&places, calls[index] &- 1) == 0 {
      return false
    }
    return true
  }

  private mutating func number(of call: UInt) -> Int {
    unsafe cdg_place_number(&places, call &- 1)
  }
}

// MARK: - Parts

extension ProfileWriter {
  private mutating func writeMappings() throws(Errno) {
    for module in 0..<cdg_module_total() where cdg_module_high(module) != 0 {
      // No more than there is room for.
      text.clear()
      unsafe text.append {
        unsafe cdg_module_path(module, $0.assumingMemoryBound(to: CChar.self), $1)
      }
      let path = try writeText()
      unsafe text.append {
        unsafe cdg_module_build_id(module, $0.assumingMemoryBound(to: CChar.self), $1)
      }
      let buildID = try writeText()
      message.clear()
      message.add(1, UInt64(module) + 1)
      message.add(2, UInt64(cdg_module_low(module)))
      message.add(3, UInt64(cdg_module_high(module)))
      message.add(4, UInt64(cdg_module_offset(module)))
      message.add(5, path)
      message.add(6, buildID)
      top.add(Field.mapping, message.bytes)
      try writeTop()
    }
  }

  private mutating func writeLocations() throws(Errno) {
    var function: UInt64 = 0
    var start: UInt = 0
    for index in 0..<Int(unsafe places.count) {
      let itsStart = unsafe cdg_place_start(&places, index)
      if itsStart == 0 {
        function = 0
      } else if itsStart != start || function == 0 {
        function = UInt64(index) + 1
        try writeFunction(function, index)
      }
      start = itsStart
      let module = unsafe cdg_place_module(&places, index)
      message.clear()
      message.add(1, UInt64(index) + 1)
      message.add(2, UInt64(module + 1))
      message.add(3, UInt64(unsafe cdg_place_address(&places, index)))
      if function != 0 {
        inner.clear()
        inner.add(1, function)
        message.add(4, inner.bytes)
      }
      top.add(Field.location, message.bytes)
      try writeTop()
    }
  }

  private mutating func writeFunction(_ number: UInt64, _ place: Int) throws(Errno) {
    let name = try writeName(of: place, isReadable: true)
    let systemName = try writeName(of: place, isReadable: false)
    message.clear()
    message.add(1, number)
    message.add(2, name)
    message.add(3, systemName)
    top.add(Field.function, message.bytes)
    try writeTop()
  }

  /// - Parameter isReadable: as it was written, where the Swift runtime can say so.
  private mutating func writeName(of place: Int, isReadable: Bool) throws(Errno) -> UInt64 {
    text.clear()
    // No more than there is room for, and for what stands before it in its message.
    unsafe text.append {
      unsafe cdg_place_name(
        &places, place, $0.assumingMemoryBound(to: CChar.self), min($1, 4000),
        isReadable ? 1 : 0)
    }
    return try writeText()
  }

  private mutating func write(
    _ field: UInt64, _ type: UInt64, _ unit: UInt64
  ) throws(Errno) {
    message.clear()
    message.add(1, type)
    message.add(2, unit)
    top.add(field, message.bytes)
    try writeTop()
  }

  /// Writes a string.
  ///
  /// - Returns: its number.
  private mutating func write(_ string: StaticString) throws(Errno) -> UInt64 {
    text.clear()
    text.append(string)
    return try writeText()
  }

  private mutating func writeText() throws(Errno) -> UInt64 {
    top.add(Field.string, text)
    text.clear()
    try writeTop()
    stringCount += 1
    return stringCount - 1
  }

  private mutating func writeTop() throws(Errno) {
    try file.write(bytes: top.bytes)
    top.clear()
  }
}
