import ArgumentParser
import CPageAlloc

/// The command line of PageAlloc.
@main
struct Pagetool: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "pagetool",
    abstract: "Checks, measures and draws the PageAlloc page allocator.",
    discussion: """
      EXAMPLES
        pagetool map mmap-node.trace.gz              what every page is, at the peak
        pagetool plot mmap-node.trace.gz             curves of its memory
        pagetool film -o node.html mmap-node.trace.gz   a page with a slider
        pagetool replay mmap-node.trace.gz           time and memory, all checked
        pagetool stat --rate 2000 mmap-node.trace.gz the figures, as they change
        pagetool profile mmap-node.trace.gz          sizes and lifetimes of runs
        pagetool compare mmap-node.trace.gz          the same on other allocators
        pagetool check conformance/*.trace.gz        our allocator and Go's

      YOUR OWN PROGRAM
        strace -f -e trace=memory,process -o ls.strace ls -l
        pagetool convert ls.strace -o ls.trace.gz
        pagetool replay ls.trace.gz

      FILES
        Any may be packed with gzip: their first bytes decide that, not their names.
        What an arena recorded of itself (PageArena.Recording) is a page trace, too.
        A single - is the standard input.

      OUTPUT
        Text, or JSON with --json: an array with an object a file, but for stat,
        which prints an object a line. Errors go to the standard error, in one line
        each; so does progress, if that is a terminal.

      COMPLETION
        bash: pagetool --generate-completion-script bash \\
                > ~/.local/share/bash-completion/completions/pagetool
        zsh:  pagetool --generate-completion-script zsh > ~/.zfunc/_pagetool
        fish: pagetool --generate-completion-script fish \\
                > ~/.config/fish/completions/pagetool.fish

      EXIT STATUS
        0   everything is as it should be
        1   a mismatch, a failed replay, or a file that cannot be read, written or
            understood
        64  the command line makes no sense
      """,
    version: "\(PA_VERSION_MAJOR).\(PA_VERSION_MINOR).\(PA_VERSION_PATCH)",
    subcommands: [
      Check.self, Replay.self, Map.self, Film.self, Plot.self, Stat.self, Profile.self,
      Compare.self, Convert.self,
    ])

  /// As every command line's, but that text which could not be written is a failure.
  static func main() {
    do {
      var command = try parseAsRoot()
      try command.run()
    } catch {
      // Help and the version are text, too.
      guard exitCode(for: error).isSuccess else { exit(withError: error) }
      print(fullMessage(for: error))
    }
    guard let failure = outputFailure() else { return }
    complain("-", failure)
    exit(withError: ExitCode.failure)
  }
}
