import PageAlloc

/// An arena or a pool: the calls that both have.
package protocol PageMemory: AnyObject {
  func allocate(
    pages: Int, alignment: Int, zeroed: Bool
  ) throws(PageArenaError) -> UnsafeMutableRawPointer
  func allocate(
    at base: UnsafeMutableRawPointer, pages: Int, zeroed: Bool
  ) throws(PageArenaError) -> Bool
  func deallocate(_ base: UnsafeMutableRawPointer, pages: Int) throws(PageArenaError)
  func deallocate(_ base: UnsafeMutableRawPointer) throws(PageArenaError)
  func deallocateRuns(from base: UnsafeMutableRawPointer, pages: Int) throws(PageArenaError)
  func deallocateDiscarding(_ base: UnsafeMutableRawPointer, pages: Int) throws(PageArenaError)
  func discard(_ base: UnsafeMutableRawPointer, pages: Int) throws(PageArenaError)
  func discardLazily(_ base: UnsafeMutableRawPointer, pages: Int) throws(PageArenaError)
  func resize(
    _ base: UnsafeMutableRawPointer, to pages: Int, zeroed: Bool
  ) throws(PageArenaError) -> UnsafeMutableRawPointer
  func extend(
    _ base: UnsafeMutableRawPointer, to pages: Int, zeroed: Bool
  ) throws(PageArenaError) -> Bool
  func contains(_ pointer: UnsafeRawPointer) -> Bool
  func run(containing pointer: UnsafeRawPointer) -> PageExtent?
  func adopt(_ base: UnsafeMutableRawPointer, pages: Int) throws(PageArenaError) -> PageRun
}

extension PageArena: PageMemory {}
extension PagePool: PageMemory {}

extension PageMemory {
  /// Takes a run.
  package func run(
    _ pages: Int, alignment: Int = PageArena.pageSize, zeroed: Bool = false
  ) throws(PageArenaError) -> Run {
    unsafe Run(try allocate(pages: pages, alignment: alignment, zeroed: zeroed), pages: pages)
  }

  /// Takes a run, or records why not.
  package func take(
    _ pages: Int, alignment: Int = PageArena.pageSize, zeroed: Bool = false,
    _ recorder: inout Recorder, line: UInt = #line
  ) -> Run? {
    do throws(PageArenaError) {
      let run = try run(pages, alignment: alignment, zeroed: zeroed)
      recorder.expect(true, "an allocation that succeeds")
      return run
    } catch {
      recorder.fail("allocate \(pages): \(error.description)", line: line)
      return nil
    }
  }

  /// Frees a run, or records why not.
  package func give(_ run: Run, _ recorder: inout Recorder, line: UInt = #line) {
    if let error = errorOfGiving(run) {
      recorder.fail("deallocate \(run.pages): \(error.description)", line: line)
    }
  }

  /// The error that an allocation ends with; `nil` where it is fine.
  package func errorOfTaking(_ pages: Int, alignment: Int = PageArena.pageSize) -> PageArenaError? {
    errorThrown { () throws(PageArenaError) in _ = try run(pages, alignment: alignment) }
  }

  /// The error that a free ends with; `nil` where it is fine.
  package func errorOfGiving(_ run: Run) -> PageArenaError? {
    errorThrown { () throws(PageArenaError) in
      unsafe try deallocate(run.pointer, pages: run.pages)
    }
  }

  /// The same of the run that starts where this one does.
  func errorOfGivingWhole(_ run: Run) -> PageArenaError? {
    errorThrown { () throws(PageArenaError) in unsafe try deallocate(run.pointer) }
  }

  /// The same of all that lies in a range.
  func errorOfGivingRuns(_ range: Run) -> PageArenaError? {
    errorThrown { () throws(PageArenaError) in
      unsafe try deallocateRuns(from: range.pointer, pages: range.pages)
    }
  }

  // Only the address is looked at; so below.
  func extent(at address: UInt) -> PageExtent? {
    guard let pointer = unsafe UnsafeRawPointer(bitPattern: address) else { return nil }
    return unsafe run(containing: pointer)
  }

  func holds(_ address: UInt) -> Bool {
    guard let pointer = unsafe UnsafeRawPointer(bitPattern: address) else { return false }
    return unsafe contains(pointer)
  }
}

/// What calls end with; `nil` where they are fine.
func errorThrown(by body: () throws(PageArenaError) -> Void) -> PageArenaError? {
  do throws(PageArenaError) { try body() } catch { return error }
  return nil
}
