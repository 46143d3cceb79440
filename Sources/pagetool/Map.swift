import ArgumentParser
import PageAlloc
import PageTrace

/// `pagetool map`: draws what every page of a heap is.
struct Map: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Draws what every page of a heap is: a snapshot's, or a recording's at any step.",
    discussion: """
      FILE is a snapshot that a program wrote, `arena.snapshot().write(toPath: "heap.txt")`, or a \
      page trace ("#pagetrace 1"). A trace is replayed on an arena as far as it is asked for: its \
      first N events with --step N, or as far as most pages are in use. One word of each page is \
      written, unless more than a GiB is in use at once. The replay goes as fast as it can: what \
      the recorded program's heap would have given back meanwhile, as time went by, is still \
      resident.

      A cell is one page or, where the heap is large, a group of them, and shows what most of them \
      are: in use; cached by a thread or the arena; free, and maybe resident; free, and given back \
      to the system or never written to; never used, which the arena has not grown to. Guards of \
      runs are told apart where there are any. The figures are of pages: they are exact. Huge \
      pages are known of a replay alone that writes, where the kernel tells (Linux 6.7).

      In the text a row has 64 cells, and no line more than 80 columns. There are colours where \
      the standard output is a terminal, unless NO_COLOR is set or TERM is "dumb". The colours are \
      made for colour-blind eyes (Okabe and Ito), and from dark to light in print.

      EXAMPLES
        pagetool map heap.txt
        pagetool map mmap-node.trace.gz --step 5000
        pagetool map heap.txt --svg heap.svg
        pagetool map heap.txt --svg - | rsvg-convert -o heap.png
        pagetool map --json heap.txt > heap.json

      JSON
        An array with one object. Memory is in pages, of pageSize bytes.
          file           the FILE as given
          kind           "snapshot" or "recording"
          step, steps    of a recording: events replayed, events there are
          address        of the first page, in hexadecimal
          pageSize, pageCount
          pages          object: inUse, guard, cached, freeResident, givenBack,
                         neverUsed
          longestFreeRun
          fragmentation  1 - longest free run / free pages; 0 if none is free
          hugePages      numbers of the huge pages of 2 MiB, counted from the
                         first page; null where they are not known
          chunks         an array with an object for each 512 pages, in order of
                         their addresses, as in pages
          error          object: message, line (if known); of a file that cannot
                         be used, instead of all the above but file

      EXIT STATUS
        0   the map was drawn
        1   FILE cannot be read, is malformed, or has no such step; the replay
            failed; or the SVG cannot be written
        64  the command line makes no sense
      """)

  @Argument(
    help: "A snapshot or a page trace, plain or packed with gzip.", completion: .file())
  var file: String

  @Option(
    help: ArgumentHelp(
      "Of a page trace: replay this many of its events. "
        + "(default: up to the peak of what is in use)",
      valueName: "n"))
  var step: Int?

  @Option(
    help: ArgumentHelp(
      "Write a picture as SVG to a file instead of text; - is the standard output.",
      valueName: "svg"),
    completion: .file(extensions: ["svg"]))
  var svg: String?

  @Flag(help: "Print no colours.")
  var noColor = false

  @Flag(help: "Print JSON instead of text.")
  var json = false

  func validate() throws {
    if let step, step < 0 { throw ValidationError("--step must not be negative.") }
    if json, svg == "-" {
      throw ValidationError("--json and --svg - both want the standard output.")
    }
  }

  func run() throws {
    var result = MapResult(file: file)
    do throws(FileFailure) {
      let heap = try HeapAtStep(path: file, step: step)
      result.heap = heap
      if let svg { try writeOutput(heap.picture.svg(), to: svg) }
    } catch {
      result.failure = error
      complain(error.path ?? file, error)
    }
    if json {
      print(try jsonText([result]))
    } else if let heap = result.heap, result.failure == nil, svg == nil {
      print(heap.picture.text(isColoured: !noColor && isOutputColoured), terminator: "")
    }
    if result.failure != nil { throw ExitCode.failure }
  }
}

/// What came of the file. The heap is there unless there is a failure.
private struct MapResult {
  let file: String
  var heap: HeapAtStep?
  var failure: FileFailure?
}

extension MapResult: Encodable {
  private enum Key: String, CodingKey {
    case file, error, kind, step, steps, address, pageSize, pageCount, pages, longestFreeRun
    case fragmentation, hugePages, chunks
  }

  private struct Pages: Encodable {
    let inUse: Int
    let `guard`: Int
    let cached: Int
    let freeResident: Int
    let givenBack: Int
    let neverUsed: Int

    init(_ counts: PagePicture.Counts) {
      func count(_ state: PageState) -> Int { counts[Int(state.rawValue)] }
      inUse = count(.inUse)
      `guard` = count(.guardPage)
      cached = count(.atHand)
      freeResident = count(.free)
      givenBack = count(.empty)
      neverUsed = count(.neverUsed)
    }
  }

  func encode(to encoder: any Encoder) throws {
    var object = encoder.container(keyedBy: Key.self)
    try object.encode(file, forKey: .file)
    if let failure { return try object.encode(failure, forKey: .error) }
    guard let heap else { return }
    let picture = heap.picture
    try object.encode(heap.steps == nil ? "snapshot" : "recording", forKey: .kind)
    if let steps = heap.steps {
      try object.encode(steps.done, forKey: .step)
      try object.encode(steps.all, forKey: .steps)
    }
    try object.encode("0x" + String(picture.address, radix: 16), forKey: .address)
    try object.encode(picture.pageSize, forKey: .pageSize)
    try object.encode(picture.pageCount, forKey: .pageCount)
    try object.encode(Pages(picture.counts), forKey: .pages)
    try object.encode(picture.longestFreeRun, forKey: .longestFreeRun)
    try object.encode(picture.fragmentation, forKey: .fragmentation)
    try object.encode(picture.hugePages, forKey: .hugePages)
    var chunks: [Pages] = []
    picture.forEachGroup(of: PagePicture.pagesPerChunk) { chunks.append(Pages($0)) }
    try object.encode(chunks, forKey: .chunks)
  }
}
