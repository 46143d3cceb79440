import CDiagnosis

/// How the checked mode of an arena is set up.
struct CheckedMode: Sendable {
  /// The most pages in quarantine.
  var quarantinePages = 0
  /// Faults are told of.
  var reportsFaults = false
  /// Mistakes and leaks are told of on standard error.
  var reportsMistakes = true
  /// Whatever is told of ends the process, with the status ``exitStatus``.
  var endsProcess = false
  /// What the program runs under.
  var tools: Int32 = 0

  /// The status of a process that was ended because of what was told: "internal software error".
  static var exitStatus: Int32 { 70 }

  /// Ends the process, once it was told why.
  static func endProcess() -> Never { cdg_end_process(exitStatus) }
}
