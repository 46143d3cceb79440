import CDiagnosis

extension PageArena {
  /// Whether the arena looks for the program's mistakes with its runs.
  ///
  /// In the checked mode the arena knows of every run who allocated it and who freed it: the
  /// thread, and the calls that it was inside of. Freed runs go into quarantine: any access to one
  /// faults, until as many bytes were freed after it. A free that is refused is told on standard
  /// error, with what is known of the run; so are the runs that were still in use when the arena
  /// ended, or the process before it. Threads keep nothing at hand, and every call takes
  /// microseconds: the mode is for finding mistakes. Off, it costs nothing.
  ///
  /// In the checked mode AddressSanitizer and Valgrind's memcheck, where the program runs under
  /// one, are told which pages may be accessed.
  public enum Diagnosis: Equatable, Sendable {
    /// What the environment asks for: `PAGEALLOC_CHECKED=1` is checked, with faults reported;
    /// `PAGEALLOC_CHECKED=abort` is the same, and whatever is told of, a mistake, a fault or a
    /// leak, ends the process with status 70; `PAGEALLOC_CHECKED=0` is off. Where it says nothing:
    /// checked under AddressSanitizer and memcheck, else off.
    case automatic
    /// No records; frees are checked against what is in use, as always.
    case off
    /// The checked mode.
    ///
    /// - Parameters:
    ///   - quarantineByteCount: how much of what was freed is kept from everybody. It costs address
    ///     space of the arena, but little memory: the contents are gone.
    ///   - reportsFaults: the process's faults (`SIGSEGV`, `SIGBUS`) are looked at first, and told
    ///     on standard error when they lie in a checked arena; then what was set up before happens.
    case checked(quarantineByteCount: Int = 64 << 20, reportsFaults: Bool = false)
  }
}

extension PageArena.Options {
  /// How the checked mode is to be set up; `nil` where it is off.
  var checkedMode: CheckedMode? {
    let tools = cdg_tools()
    switch diagnosis {
    case .off: return nil
    case .checked(let byteCount, let reportsFaults):
      return CheckedMode(
        quarantinePages: byteCount >> Geometry.pageShift, reportsFaults: reportsFaults,
        reportsMistakes: reportsMistakes, tools: tools)
    case .automatic:
      // A literal ends in a zero.
      let wish = unsafe cdg_environment("PAGEALLOC_CHECKED")
      let endsProcess = wish == CChar(bitPattern: UInt8(ascii: "a"))
      let isWished = endsProcess || wish == CChar(bitPattern: UInt8(ascii: "1"))
      if !isWished, wish != 0 || tools == 0 { return nil }
      return CheckedMode(
        quarantinePages: (64 << 20) >> Geometry.pageShift, reportsFaults: isWished,
        reportsMistakes: reportsMistakes, endsProcess: endsProcess, tools: tools)
    }
  }
}

extension PageArena {
  /// Whether the arena is in the checked mode: see ``Diagnosis``.
  public var isChecked: Bool { core.checks != nil }

  /// What is known of the run that an address lies in, or lay in last.
  ///
  /// ```swift
  /// if let record = arena.diagnose(run.address) { print(record) }
  /// ```
  ///
  /// - Returns: `nil` where the arena is not checked, the address is not in it or was never handed
  ///   out, or the record went: there are 65,536, of which those of the runs freed longest ago go
  ///   first.
  /// - Complexity: O(1).
  public func diagnose(_ address: UInt) -> RunRecord? { core.diagnose(address) }

  /// The runs of a checked arena that are in use, those with living owners included: what would
  /// leak if the arena ended now.
  ///
  /// When a checked arena ends, its report is written to standard error where there is anything to
  /// tell. So it is when the process ends before the arena does, by `exit` or at the end of `main`;
  /// in a child of `fork` that ends so, too, of what it has of its parent's.
  ///
  /// ```swift
  /// let report = arena.leaks
  /// for group in report.groups {
  ///   print(group.runs, "runs,", group.pages, "pages:", group.example)
  /// }
  /// ```
  ///
  /// - Returns: a report that is empty where the arena is not checked.
  /// - Complexity: O(records); runs that come or go meanwhile may be in it or not.
  public var leaks: LeakReport { core.leaks() }

  /// What a checked arena knows of a run.
  public typealias RunRecord = PageAlloc.RunRecord
  /// Runs in use, by who allocated them.
  public typealias LeakReport = PageAlloc.LeakReport
}
