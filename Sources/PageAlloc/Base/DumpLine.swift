import SysMem

/// A line for standard error, put together without an allocation; what does not fit is cut.
package typealias DumpLine = FixedText<500>
