import CTestSystem

/// Runs every check and prints its name first, then what failed of it, then the count of all.
///
/// With texts, only checks whose names begin with one of them. The closing line is
/// `N passed, N failed`.
/// - Returns: 0 where all passed, else 1.
///
/// Exported as an interface alone, since Embedded Swift would compile all checks again into the
/// program that calls this.
@export(interface)
package func runAllChecks(beginning texts: [String] = [], print: (String) -> Void) -> Int32 {
  ctest_print_lines()
  var passed = 0
  var failed = 0
  // First those that judge all of the process's memory, or copy it by a fork: others leave it
  // larger, under qemu by 9 GB of its own.
  for check in firstChecks + roomyChecks + laterAloneChecks + otherChecks {
    // Compared as bytes: `==` on strings needs the tables of Unicode.
    let name = check.name.description.utf8
    if !texts.isEmpty && !texts.contains(where: { name.starts(with: $0.utf8) }) { continue }
    // First, so that the name is known should the check trap.
    print("  \(check.name.description)")
    let failures = check.run()
    if failures.isEmpty { passed += 1 } else { failed += 1 }
    for failure in failures { print("  FAILED: \(failure)") }
  }
  print("\(passed) passed, \(failed) failed")
  return failed == 0 ? 0 : 1
}
