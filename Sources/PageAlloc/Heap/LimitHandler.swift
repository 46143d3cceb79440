/// What the program does when a limit is about to refuse a request, and who is doing it.
///
/// ```
///   a request     begin ------ the program's function ------ end
///   who sets another     | waits ............................... | sets
/// ```
///
/// While somebody waits to set another, no request begins: it is refused as if there were none. So
/// nobody waits for ever, however often the limit refuses, as long as each call returns.
package struct LimitHandler {
  /// The program's function.
  ///
  /// - Parameter pages: of the request.
  /// - Returns: whether something was given back, for the request to be made once more.
  package typealias Body = @Sendable (_ pages: Int) -> Bool

  private var body: Body?
  /// Threads that are in it.
  private var calls = 0
  /// Threads that wait for these, to set another.
  private var setters = 0

  /// There is none.
  package init() {}

  /// Somebody is about to call it.
  ///
  /// - Returns: `nil` where there is none.
  package mutating func begin() -> Body? {
    guard setters == 0, let body else { return nil }
    calls += 1
    return body
  }

  /// Somebody has called it.
  package mutating func end() { calls = max(0, calls - 1) }

  /// Sets another, unless that is to wait for who is in the former one.
  ///
  /// - Parameter isWaiting: whether the caller has been told to wait by this already.
  /// - Returns: the former one, which is to go when the lock is free again, and whether it was set.
  package mutating func set(
    _ body: Body?, waits: Bool, _ isWaiting: inout Bool
  ) -> (former: Body?, isSet: Bool) {
    if waits, calls > 0 {
      if !isWaiting { setters += 1 }
      isWaiting = true
      return (nil, false)
    }
    if isWaiting { setters = max(0, setters - 1) }
    isWaiting = false
    let former = self.body
    self.body = body
    return (former, true)
  }

  /// In a child of `fork`, where no other thread is.
  ///
  /// - Parameter isCalling: the thread that has forked is in it.
  package mutating func forgetOthers(isCalling: Bool) {
    calls = isCalling ? 1 : 0
    setters = 0
  }
}
