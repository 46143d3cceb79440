import PageTrace

/// The words this program was started with, its own name first.
///
/// Embedded Swift has no `CommandLine`. The kernel keeps the words, each closed by a zero byte;
/// qemu shows those of the program that it runs, not its own.
func commandLineWords() throws(FileError) -> [String] {
  try readFile("/proc/self/cmdline")
    .split(separator: 0, omittingEmptySubsequences: false)
    .dropLast()  // what follows the last zero byte
    .map { String(decoding: $0, as: UTF8.self) }
}
