import ArgumentParser

/// The command line of PageAlloc.
@main
struct Pagetool: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "pagetool",
    abstract: "Checks, measures and draws the PageAlloc page allocator.",
    discussion: """
      EXAMPLES
        pagetool check conformance/*.trace.gz
        pagetool replay mmap-node.trace.gz
        pagetool map mmap-node.trace.gz
        pagetool help map

      Files may be packed with gzip; their first bytes decide that, not their names.

      EXIT STATUS
        0   everything is as it should be
        1   a mismatch, a failed replay, or a file that cannot be read or is malformed
        64  the command line makes no sense
      """,
    version: "0.1.0",
    subcommands: [Check.self, Replay.self, Map.self, Convert.self, Compare.self])
}
