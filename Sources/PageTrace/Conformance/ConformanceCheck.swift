import PageAlloc
import SysMem

/// Why a file could not be checked to its end.
package enum CheckError: Error {
  /// The file cannot be read.
  case file(FileError)

  /// The file is not what its head says it is.
  case format(TraceFormatError)

  /// The system has no memory for the tables of an allocator.
  case memory(SysMemError)

  /// What is wrong, in one line; a format error without the name of the file.
  package var description: String {
    switch self {
    case .file(let error): error.description
    case .format(let error): error.description
    case .memory(let error): error.description
    }
  }
}

/// Runs a conformance file against the allocator, and compares all that the file expects.
///
/// The kind of the file, `trace`, `itrace`, `vectors` or `ptrace`, is told by its first line.
///
/// - Parameters:
///   - name: the name of the file for the report.
///   - bytes: the whole file.
///   - progress: is called about a hundred times with the part that is done and the whole, in a
///     unit of the check's own choice.
/// - Returns: the report, with or without mismatches.
/// - Throws: `CheckError.format` for a file that is cut, garbled, or asks for what cannot be done
///   (to free a free page, say), with the line; `CheckError.memory`.
package func check(
  name: String, bytes: [UInt8], progress: ((Int, Int) -> Void)? = nil
) throws(CheckError) -> CheckReport {
  var reader = LineReader(bytes)
  var bar = Progress(total: bytes.count, progress)
  switch try formatted({ () throws(TraceFormatError) in try FileFrame.readKind(&reader) }) {
  case .operations:
    let frame = try formatted { () throws(TraceFormatError) in
      try FileFrame(&reader, kind: .operations)
    }
    var trace = OperationTrace(engine: try makeEngine(frame.kernelPages))
    try formatted { () throws(TraceFormatError) in try trace.run(&reader, &bar) }
    return trace.comparison.report(name: name)
  case .index:
    return try formatted { () throws(TraceFormatError) in
      _ = try FileFrame(&reader, kind: .index)
      var trace = IndexTrace()
      try trace.run(&reader, &bar)
      return trace.comparison.report(name: name)
    }
  case .vectors:
    return try formatted { () throws(TraceFormatError) in
      _ = try FileFrame(&reader, kind: .vectors)
      var vectors = VectorFile()
      try vectors.run(&reader, &bar)
      return vectors.comparison.report(name: name)
    }
  case .procedural:
    var trace = try formatted { () throws(TraceFormatError) in try ProceduralTrace(&reader) }
    bar = Progress(total: trace.stepCount, progress)
    try trace.run(&bar)
    return trace.comparison.report(name: name)
  }
}

/// Reads a conformance file and checks it; the report has the file's name without its folder.
///
/// - Throws: `CheckError`, with the case `file` too.
package func checkFile(
  _ path: String, progress: ((Int, Int) -> Void)? = nil
) throws(CheckError) -> CheckReport {
  let bytes: [UInt8]
  do throws(FileError) {
    bytes = try readFile(path)
  } catch {
    throw .file(error)
  }
  return try check(name: baseName(path), bytes: bytes, progress: progress)
}

/// The part of a path behind its last slash.
package func baseName(_ path: String) -> String {
  var name: [UInt8] = []
  for byte in path.utf8 {
    if byte == UInt8(ascii: "/") { name.removeAll() } else { name.append(byte) }
  }
  return String(decoding: name, as: UTF8.self)
}

/// An allocator without memory behind its pages.
func makeEngine(_ kernelPages: KernelPages) throws(CheckError) -> StandaloneAllocator {
  do throws(SysMemError) {
    return try StandaloneAllocator(kernelPages: kernelPages)
  } catch {
    throw .memory(error)
  }
}

/// What `body` returns, with its error as a `CheckError`.
private func formatted<Result: ~Copyable>(
  _ body: () throws(TraceFormatError) -> Result
) throws(CheckError) -> Result {
  do throws(TraceFormatError) {
    return try body()
  } catch {
    throw .format(error)
  }
}
