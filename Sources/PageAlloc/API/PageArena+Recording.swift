import SysMem

extension PageArena {
  /// Whether what happens to an arena's pages is written to a file, as it happens: which runs were
  /// taken, freed, changed in size and discarded, by which thread, in which order.
  ///
  /// ```swift
  /// let arena = try PageArena(recording: .file("server.pagerec"))
  /// ```
  /// `pagetool` reads the file as it reads any recorded program: to replay it, to draw it, to tell
  /// how long runs live.
  public enum Recording: Equatable, Sendable {
    /// Nothing is written.
    case none
    /// To a new file, or one that is emptied, until it has `byteCount` bytes: 256, and 8 for each
    /// call. What comes later is not recorded.
    ///
    /// The file system keeps room for all of it from the beginning. What was recorded is in the
    /// file at once, and stays there however the process ends; when the arena ends, the file is cut
    /// behind its last record. A child of `fork` goes on without: the file is its parent's.
    /// Somebody who cuts the file shorter meanwhile ends the process by `SIGBUS`, as for any file
    /// that is mapped. In a pool the first arena has this file, the others PATH.2, PATH.3 and so
    /// on.
    ///
    /// No call is served by the shortest way then. One takes about 20 ns longer, two threads' 40.
    ///
    /// - Parameters:
    ///   - path: of the file.
    ///   - byteCount: 4,096 bytes to 1 GiB, of address space, too.
    case file(String, byteCount: Int = 16 << 20)

    /// Whether both say the same. Paths are compared by bytes: Embedded Swift has no tables for
    /// comparing strings otherwise.
    public static func == (one: Recording, other: Recording) -> Bool {
      switch (one, other) {
      case (.none, .none): true
      case (.file(let path, let count), .file(let otherPath, let otherCount)):
        count == otherCount && path.utf8.elementsEqual(otherPath.utf8)
      default: false
      }
    }

    func check() throws(PageArenaError) {
      guard case .file(_, let byteCount) = self else { return }
      let limits = RecordingLayout.byteCounts
      guard limits.contains(byteCount) else {
        throw .badRecording(
          byteCount: byteCount, minimum: limits.lowerBound, maximum: limits.upperBound)
      }
    }

    /// - Parameter number: of the arena among those that these options make, from 1 on.
    func makeRecorder(
      _ label: LabelText, _ number: Int, _ system: SysMem
    ) throws(PageArenaError) -> RunRecorder? {
      guard case .file(let path, let byteCount) = self else { return nil }
      let file: SmallText
      do throws(Errno) {
        file = try SmallText(path: path, number: number)
      } catch { throw .recording(error) }
      do throws(RecordingError) {
        return try RunRecorder.make(path: file, byteCount: byteCount, label: label, from: system)
      } catch {
        switch error {
        case .file(let errno): throw .recording(errno)
        case .memory(let error): throw .system(error)
        }
      }
    }
  }
}
