import PageChecks
import Testing

/// Runs the checks that i386 and armhf run too, one test a check.
@Suite struct CheckTests {
  @Test("every check", arguments: allChecks.indices)
  func check(index: Int) {
    let check = allChecks[index]
    for failure in check.run() { Issue.record("\(check.name): \(failure)") }
  }
}
