import CSysMem
import Glibc
import PageAlloc
import PageChecks
import Testing

// Misuse that no type can see ends the program, and says why. What is done lies in functions of
// their own, outside of the macros.

private func freeBehindTheOwnersBack() throws {
  let arena = try PageArena()
  let run = try arena.allocateRun(pages: 2)
  // What the run's end meets is what this test is about.
  guard let base = unsafe UnsafeMutableRawPointer(bitPattern: run.address) else { return }
  unsafe try arena.deallocate(base, pages: 2)
}

private func writeToAReadOnlyRun() throws {
  let arena = try PageArena()
  var run = try arena.allocateRun(pages: 2)
  try run.protect(.readOnly)
  var words = run.mutableElements(of: UInt64.self)
  words[0] = 1
}

private func readAGuard() throws {
  let arena = try PageArena()
  let run = try arena.allocateGuardedRun(pages: 2)
  // The byte before the run: a guard.
  guard let byte = unsafe UnsafePointer<UInt8>(bitPattern: run.address - 1) else { return }
  print(unsafe byte.pointee)
}

private func writePastTheEnd() throws {
  let arena = try PageArena()
  var run = try arena.allocateRun(pages: 1)
  var words = run.mutableElements(of: UInt64.self)
  words[1024] = 1
}

private func split(at page: Int) throws {
  let arena = try PageArena()
  let run = try arena.allocateRun(pages: 4)
  let halves = run.split(at: page)
  print(halves.lower.pages)
}

private func checkedArena() throws -> PageArena {
  try PageArena(diagnosis: .checked(reportsFaults: true))
}

@inline(never)
private func useAfterFree() throws {
  let arena = try checkedArena()
  let run = unsafe try arena.allocate(pages: 3)
  unsafe try arena.deallocate(run, pages: 3)
  // What becomes of this is what the test is about.
  unsafe run.storeBytes(of: 1, as: Int.self)
}

@inline(never)
private func freeTwice() throws {
  let arena = try checkedArena()
  let run = unsafe try arena.allocate(pages: 3)
  unsafe try arena.deallocate(run, pages: 3)
  unsafe try? arena.deallocate(run, pages: 3)
}

@inline(never)
private func leak() throws {
  let arena = try checkedArena()
  _ = unsafe try arena.allocate(pages: 3)
}

@inline(never)
private func leakForGood() throws {
  let arena = try PageArena(isPermanent: true, diagnosis: .checked())
  _ = unsafe try arena.allocate(pages: 5)
  unsafe try arena.deallocate(arena.allocate(pages: 2), pages: 2)
}

/// Whether a program wrote this to standard error.
private func said(_ text: String, in result: ExitTest.Result?) -> Bool {
  guard let result else { return false }
  return String(decoding: result.standardErrorContent, as: UTF8.self).contains(text)
}

@Suite struct ExitTests {
  @Test func aRunFreedBehindItsOwnersBack() async {
    let result = await #expect(
      processExitsWith: .failure, observing: [\.standardErrorContent]
    ) {
      _ = try? freeBehindTheOwnersBack()
    }
    #expect(said("a run was freed behind its owner's back: 2 pages at 0x", in: result))
  }

  @Test func aWriteToAReadOnlyRun() async {
    await #expect(processExitsWith: .failure) { _ = try? writeToAReadOnlyRun() }
  }

  @Test func aReadOfAGuard() async {
    await #expect(processExitsWith: .failure) { _ = try? readAGuard() }
  }

  @Test func anElementPastTheEnd() async {
    await #expect(processExitsWith: .failure) { _ = try? writePastTheEnd() }
  }

  @Test func aUseAfterAFree() async {
    let result = await #expect(
      processExitsWith: .signal(SIGSEGV), observing: [\.standardErrorContent]
    ) {
      _ = try? useAfterFree()
    }
    #expect(said(", in a run that was freed\n", in: result))
    #expect(said("  freed by thread ", in: result))
    #expect(said("useAfterFree", in: result))
  }

  @Test func aDoubleFree() async {
    let result = await #expect(
      processExitsWith: .success, observing: [\.standardErrorContent]
    ) {
      _ = try? freeTwice()
    }
    #expect(said("PageAlloc: base: the first of 3 pages at 0x", in: result))
    #expect(said("freeTwice", in: result))
  }

  @Test func aLeak() async {
    let result = await #expect(
      processExitsWith: .success, observing: [\.standardErrorContent]
    ) {
      _ = try? leak()
    }
    #expect(said("PageAlloc: 24 KiB in 1 run in use when the arena ended\n", in: result))
    #expect(said("leak", in: result))
  }

  @Test func aLeakInAnArenaThatNeverEnds() async {
    let result = await #expect(
      processExitsWith: .success, observing: [\.standardErrorContent]
    ) {
      _ = try? leakForGood()
      // As at the end of `main`; a test's own end is not told to anybody.
      exit(0)
    }
    #expect(said("PageAlloc: 40 KiB in 1 run in use when the process ended\n", in: result))
    #expect(said("leakForGood", in: result))
  }

  @Test func aSplitAtTheStart() async {
    await #expect(processExitsWith: .failure) { _ = try? split(at: 0) }
  }

  @Test func aSplitAtTheEnd() async {
    await #expect(processExitsWith: .failure) { _ = try? split(at: 4) }
  }

  @Test("damaged tables", arguments: damages.indices)
  func damagedTables(index: Int) async {
    let result = await #expect(
      processExitsWith: .failure, observing: [\.standardErrorContent]
    ) { [index] in
      damages[index].meet()
    }
    for part in damages[index].dump {
      #expect(said(part.description, in: result), "\(damages[index].name): \(part)")
    }
  }

  @Test func whatIsWrongWithoutTables() async {
    let result = await #expect(
      processExitsWith: .failure, observing: [\.standardErrorContent]
    ) {
      corrupted("this is a test", 42)
    }
    #expect(said("PageAlloc: corrupted: this is a test (42)", in: result))
  }
}
