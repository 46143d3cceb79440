import PageAlloc
import PageTrace

/// The heap that a file tells of.
struct HeapAtStep {
  let picture: PagePicture
  /// Of a recording: how many of its events were replayed, and how many there are.
  let steps: (done: Int, all: Int)?

  /// Reads a snapshot, or replays a recording as far as is asked for.
  ///
  /// - Parameter step: how many events to replay; `nil` is up to the peak of what is in use.
  init(path: String, step: Int?) throws(FileFailure) {
    let bytes = try readInput(path)
    if bytes.starts(with: "#".utf8) {
      (picture, steps) = try Self.replayed(bytes, of: path, step: step)
    } else {
      if step != nil, bytes.starts(with: "pagealloc-snapshot".utf8) {
        throw FileFailure("a snapshot has no steps; --step is for page traces")
      }
      picture = PagePicture(try Self.snapshot(bytes), title: baseName(path))
      steps = nil
    }
  }

  private static func replayed(
    _ bytes: [UInt8], of path: String, step: Int?
  ) throws(FileFailure) -> (PagePicture, (done: Int, all: Int)) {
    let progress = ProgressLine(path)
    defer { progress.erase() }
    do {
      let trace = try ProgramTrace(parsing: bytes)
      let all = trace.events.count
      let done = step ?? (trace.peakEvent.map { $0 + 1 } ?? 0)
      guard done <= all else {
        throw FileFailure("there is no step \(grouped(done)): the recording has \(grouped(all))")
      }
      let arena = try PageArena()
      let isWritten = trace.header.isWritten
      try replay(
        trace, steps: done, on: arena, checking: isWritten ? .oneWord : .nothing,
        progress: progress.update)
      let snapshot = arena.snapshot()
      var picture = PagePicture(
        snapshot, title: "\(trace.header.name), step \(grouped(done)) of \(grouped(all))")
      if isWritten { picture.hugePages = snapshot.hugePages }
      return (picture, (done, all))
    } catch let error as FileFailure {
      throw error
    } catch let error as TraceFormatError {
      throw FileFailure(error)
    } catch let error as ReplayError {
      throw FileFailure(error.reason, line: error.line)
    } catch {
      throw FileFailure("\(error)")
    }
  }

  private static func snapshot(_ bytes: [UInt8]) throws(FileFailure) -> SnapshotFile {
    do {
      return try SnapshotFile(bytes)
    } catch {
      throw FileFailure(error)
    }
  }
}
