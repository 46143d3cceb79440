import PageTrace

/// What a call that succeeded did to an address space. Ranges are of bytes, in whole pages of 4
/// KiB.
enum MemoryCall {
  /// What a new mapping is.
  enum Mapping {
    /// Private and anonymous, with some access: memory.
    case memory
    /// Private and anonymous, without any access: address space.
    case reserved
    /// Of a file.
    case file
    /// Shared with other processes, or a device.
    case shared
  }

  /// - Parameters:
  ///   - isFixed: the program chose the address, and what was there is gone.
  ///   - isStack: the program said that it is for a thread's stack.
  case map(Range<UInt64>, Mapping, isFixed: Bool, isStack: Bool)
  case unmap(Range<UInt64>)
  case protect(Range<UInt64>, isAccessible: Bool)
  /// - Parameter keepsOld: the old range stays mapped, and is empty.
  case remap(from: Range<UInt64>, to: Range<UInt64>, keepsOld: Bool)
  /// The contents are not needed any more.
  case discard(Range<UInt64>)
  /// The program asked for the end of its heap to be at `wanted`, and it is at `result` now.
  case setBreak(wanted: UInt64, result: UInt64)
  /// Advice that changes nothing here.
  case advise
}

extension MemoryCall {
  /// What the kernel maps in.
  static let granule: UInt64 = 4096

  /// The calls that are read here.
  static func isOne(_ name: ArraySlice<UInt8>) -> Bool {
    switch String(decoding: name, as: UTF8.self) {
    case "mmap", "mmap2", "old_mmap", "munmap", "mprotect", "pkey_mprotect", "mremap", "madvise",
      "brk":
      true
    default: false
    }
  }

  /// Reads the arguments of a call that succeeded.
  ///
  /// - Returns: `nil` where the arguments are none of such a call.
  init?(name: ArraySlice<UInt8>, arguments: ArraySlice<UInt8>, result: UInt64) {
    let fields = Self.fields(arguments)
    switch String(decoding: name, as: UTF8.self) {
    case "mmap", "mmap2", "old_mmap":
      guard fields.count >= 4, let range = Self.range(at: result, fields[1]) else { return nil }
      let flags = CallFlags(fields[3])
      self = .map(
        range, Self.mapping(CallFlags(fields[2]), flags),
        isFixed: flags.contains("MAP_FIXED", 0x10), isStack: flags.contains("MAP_STACK", 0x20000))
    case "munmap":
      guard fields.count == 2, let range = Self.range(fields[0], fields[1]) else { return nil }
      self = .unmap(range)
    case "mprotect", "pkey_mprotect":
      guard fields.count >= 3, let range = Self.range(fields[0], fields[1]) else { return nil }
      self = .protect(range, isAccessible: Self.isAccessible(CallFlags(fields[2])))
    case "mremap":
      guard fields.count >= 4, let old = Self.range(fields[0], fields[1]),
        let new = Self.range(at: result, fields[2])
      else { return nil }
      self = .remap(
        from: old, to: new, keepsOld: CallFlags(fields[3]).contains("MREMAP_DONTUNMAP", 4))
    case "madvise":
      guard fields.count == 3, let range = Self.range(fields[0], fields[1]) else { return nil }
      let advice = CallFlags(fields[2])
      let discards =
        advice.isOne(of: ["MADV_DONTNEED", "MADV_FREE", "MADV_DONTNEED_LOCKED"], [4, 8, 24])
      self = discards ? .discard(range) : .advise
    case "brk":
      // As lengths are bounded.
      guard fields.count == 1, let wanted = Self.number(fields[0]), result < 1 << 62
      else { return nil }
      self = .setBreak(wanted: wanted, result: result)
    default: return nil
    }
  }

  private static func mapping(_ protection: CallFlags, _ flags: CallFlags) -> Mapping {
    if flags.contains("MAP_SHARED", 1) || flags.contains("MAP_SHARED_VALIDATE", 1) {
      return .shared
    }
    guard flags.contains("MAP_ANONYMOUS", 0x20) || flags.contains("MAP_ANON", 0x20) else {
      return .file
    }
    return isAccessible(protection) ? .memory : .reserved
  }

  private static func isAccessible(_ protection: CallFlags) -> Bool {
    protection.contains("PROT_READ", 1) || protection.contains("PROT_WRITE", 2)
      || protection.contains("PROT_EXEC", 4)
  }

  /// Parts arguments at their commas.
  ///
  /// The calls read here have no strings and no structures among theirs.
  private static func fields(_ text: ArraySlice<UInt8>) -> [ArraySlice<UInt8>] {
    text.split(separator: Ascii.comma, omittingEmptySubsequences: false).map { field in
      var field = field
      field.skipSpaces()
      while field.last == Ascii.space { field.removeLast() }
      return field
    }
  }

  private static func number(_ text: ArraySlice<UInt8>) -> UInt64? {
    var rest = text
    guard let number = rest.takeNumber(), rest.isEmpty else { return nil }
    return number
  }

  private static func range(
    _ address: ArraySlice<UInt8>, _ length: ArraySlice<UInt8>
  ) -> Range<UInt64>? {
    number(address).flatMap { range(at: $0, length) }
  }

  /// So many bytes from an address on, rounded up to whole pages; `nil` for what is no place in an
  /// address space.
  private static func range(at address: UInt64, _ length: ArraySlice<UInt8>) -> Range<UInt64>? {
    guard let length = number(length), address % granule == 0, address < 1 << 63, length < 1 << 62
    else { return nil }
    return address..<address + (length + granule - 1) / granule * granule
  }
}

/// Flags as strace writes them: `PROT_READ|PROT_WRITE`, `0x3`, or `0x3 /* PROT_READ|PROT_WRITE */`.
struct CallFlags {
  private var names: [String] = []
  private var bits: UInt64 = 0

  init(_ text: ArraySlice<UInt8>) {
    for part in text.split(separator: UInt8(ascii: "|")) {
      var rest = part
      if let number = rest.takeNumber() {
        bits |= number
        // What follows a number says the same once more.
        if rest.contains(UInt8(ascii: "*")) { return }
      } else {
        names.append(String(decoding: part, as: UTF8.self))
      }
    }
  }

  func contains(_ name: String, _ bit: UInt64) -> Bool { bits & bit != 0 || names.contains(name) }

  /// Whether the whole is one of these values.
  func isOne(of names: [String], _ values: [UInt64]) -> Bool {
    self.names.isEmpty ? values.contains(bits) : names.contains(self.names[0])
  }
}
