/// How the checked mode of an arena is set up.
struct CheckedMode: Sendable {
  /// The most pages in quarantine.
  var quarantinePages = 0
  /// Faults are told of.
  var reportsFaults = false
  /// Mistakes and leaks are told of on standard error.
  var reportsMistakes = true
  /// What the program runs under.
  var tools: Int32 = 0
}
