import CSysMem
import Synchronization

/// A new file of a fixed size, mapped as words of 32 bits, 0 at first, that threads write without a
/// lock. What is written is in the file at once, however the process ends. A child of a fork has
/// the mapping, too.
///
/// Safe: the file is as long as it says, and whoever has it ends it last.
@safe
package struct MappedFile: Sendable {
  // Invariant: `count` words that are initialized, in memory that is mapped until `end`.
  nonisolated(unsafe) private let words: UnsafeMutablePointer<Atomic<UInt32>>
  /// How many words there are.
  package let count: Int
  private let file: Int32
  private let identity: FileIdentity

  /// Makes a file, or empties one, which everybody may read and write whom the process's mask
  /// allows to. The file system keeps room for all of it: no write finds a full disk, which would
  /// end the process.
  ///
  /// - Parameter count: how many words, at least 1.
  /// - Throws: what the kernel refused. The file is empty then.
  package init(path: borrowing SmallText, count: Int) throws(Errno) {
    // The pointer lives as long as the call that it is handed to.
    let opened = unsafe path.withCString { unsafe csm_open_new_mapped($0) }
    if opened.error != 0 { throw Errno(rawValue: opened.error) }
    file = Int32(truncatingIfNeeded: opened.value)
    identity = FileIdentity(of: file)
    self.count = count
    let byteCount = Self.byteCount(count)
    var mapped = csm_word(value: 0, error: csm_reserve_file(file, byteCount))
    if mapped.error == 0 { mapped = csm_map_file(file, byteCount) }
    // Zeroed memory is what atomic words are made of.
    guard let words = unsafe UnsafeMutablePointer<Atomic<UInt32>>(bitPattern: mapped.value) else {
      _ = csm_truncate(file, 0)
      csm_close(file)
      throw Errno(rawValue: mapped.error)
    }
    unsafe self.words = words
    // Else each page's first write is a fault, of 2 µs. Where the kernel lacks that, before Linux
    // 5.14, it is one.
    _ = csm_madvise(mapped.value, min(byteCount, Self.readyByteCount), CSM_MADV_POPULATE_WRITE)
  }

  /// Bytes that have memory from the beginning, at most: what takes about 10 ms.
  private static var readyByteCount: UInt { 16 << 20 }

  /// A word by its place.
  ///
  /// - Precondition: `index` is below the count; so below.
  @inline(__always)
  package func load(_ index: Int) -> UInt32 {
    unsafe word(index).pointee.load(ordering: .relaxed)
  }

  /// Changes a word.
  @inline(__always)
  package func store(_ index: Int, _ value: UInt32) {
    unsafe word(index).pointee.store(value, ordering: .relaxed)
  }

  /// Adds 1 to a word.
  ///
  /// - Returns: what it was.
  @inline(__always)
  package func increment(_ index: Int) -> UInt32 {
    unsafe word(index).pointee.wrappingAdd(1, ordering: .relaxed).oldValue
  }

  /// Unmaps it. Nobody may use it any more. Where the program closed its descriptor, all words
  /// stay.
  ///
  /// - Parameter keptCount: how many words stay in the file; `nil` for all.
  package func end(keeping keptCount: Int?) {
    _ = unsafe csm_munmap(UInt(bitPattern: words), Self.byteCount(count))
    if FileIdentity(of: file) != identity { return }
    if let keptCount { _ = csm_truncate(file, Self.byteCount(min(keptCount, count))) }
    csm_close(file)
  }

  @inline(__always)
  private func word(_ index: Int) -> UnsafeMutablePointer<Atomic<UInt32>> {
    precondition(index >= 0 && index < count, "no such word")
    return unsafe words + index
  }

  private static func byteCount(_ count: Int) -> UInt { UInt(bitPattern: count) << 2 }
}
