import CThreadSlots
import SysMem
import Synchronization

/// Writes what happens to an arena's pages to a file, until there is no more room there.
///
/// A child of a fork records nothing: a word says so, which reads as 0 there.
struct RunRecorder: Sendable {
  private let file: MappedFile
  private let isOn: WordTable
  private let capacity: UInt32

  /// Makes the file.
  ///
  /// - Parameter byteCount: of it, at most; in the limits of `RecordingLayout`.
  /// - Throws: what the kernel refused, of the file, or of memory.
  static func make(
    path: borrowing SmallText, byteCount: Int, label: LabelText, from system: SysMem
  ) throws(RecordingError) -> RunRecorder {
    let count = byteCount / MemoryLayout<UInt32>.size
    let capacity = (count - RecordingLayout.records) / RecordingLayout.wordsPerRecord
    let file: MappedFile
    do throws(Errno) {
      file = try MappedFile(path: path, count: count)
    } catch { throw .file(error) }
    do throws(SysMemError) {
      let isOn = try WordTable(count: 1, from: system)
      do throws(SysMemError) {
        try isOn.wipeOnFork(system)
      } catch {
        isOn.unmap(from: system)
        throw error
      }
      let recorder = RunRecorder(file: file, isOn: isOn, capacity: UInt32(capacity))
      recorder.writeHead(label)
      isOn.store(0, 1)
      return recorder
    } catch {
      file.end(keeping: 0)
      throw .memory(error)
    }
  }

  private func writeHead(_ label: LabelText) {
    file.store(0, RecordingLayout.magic.0)
    file.store(1, RecordingLayout.magic.1)
    file.store(RecordingLayout.pageSize, UInt32(Geometry.pageSize))
    file.store(RecordingLayout.start, UInt32(RecordingLayout.records))
    file.store(RecordingLayout.capacity, capacity)
    file.store(RecordingLayout.labelByteCount, UInt32(label.count))
    for index in 0..<label.count {
      let word = RecordingLayout.label + index / 4
      file.store(word, file.load(word) | UInt32(label[index]) << UInt32(index % 4 * 8))
    }
  }

  /// Notes what has happened, or is about to.
  ///
  /// - Returns: the record's place, for ``cancel(_:)``; `nil` where there is no more room.
  @discardableResult
  func note(_ kind: RecordKind, _ pages: Range<PageNumber>) -> Int? {
    // The count stays near the end once that was reached.
    if isOn.load(0) == 0 || file.load(RecordingLayout.begun) >= capacity { return nil }
    let number = file.increment(RecordingLayout.begun)
    if number >= capacity { return nil }
    let thread = Self.numberOfThread()
    let place = RecordingLayout.records + Int(number) * RecordingLayout.wordsPerRecord
    file.store(
      place, UInt32(truncatingIfNeeded: pages.lowerBound) | (thread & 0xFFF) << 20)
    file.store(
      place + 1,
      UInt32(truncatingIfNeeded: pages.count) | kind.rawValue << 20 | (thread >> 12 & 0xF) << 24)
    return place
  }

  /// What was about to happen did not.
  func cancel(_ place: Int?) {
    if let place { file.store(place + 1, RecordKind.nothing.rawValue << 20) }
  }

  /// Records nothing any more, since this is a child of a fork. Most kernels have seen to that.
  func stop() { isOn.store(0, 0) }

  /// Ends the file behind its last record.
  func end(_ system: SysMem) {
    let isParent = isOn.load(0) != 0
    let records = Int(min(file.load(RecordingLayout.begun), capacity))
    isOn.unmap(from: system)
    file.end(
      keeping: isParent
        ? RecordingLayout.records + records * RecordingLayout.wordsPerRecord : nil)
  }

  /// How recordings name the calling thread: from 1 on, in the order in which threads come here.
  private static func numberOfThread() -> UInt32 {
    let thread = unsafe cts_thread_here().unsafelyUnwrapped
    // The thread's own.
    var number = unsafe thread.pointee.number
    if number == 0 {
      number = UInt(lastThread.wrappingAdd(1, ordering: .relaxed).newValue)
      unsafe thread.pointee.number = number
    }
    return UInt32(truncatingIfNeeded: number)
  }
}

private let lastThread = Atomic<UInt32>(0)

/// Why there is no recording.
enum RecordingError: Error {
  /// The kernel refused the file.
  case file(Errno)
  /// The kernel refused memory.
  case memory(SysMemError)
}
