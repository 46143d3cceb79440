// Which types memory may be read as
// =================================
//
// Memory that was never written, or written as something else, holds arbitrary bits. Read as a
// number they are some number. Read as a `Bool` or an enum they may be none of its values, and what
// a program does then is undefined: so that asks for a promise, which strict memory safety shows.

/// A type of which any bits are a value: a number, or a vector of numbers.
///
/// Memory can be read as such a type without further ado, whatever it holds:
/// ``PageRun/elements(of:)``. The standard library's integers, floating-point numbers and vectors
/// conform, but for `Float80`, whose bits may be no number.
///
/// A structure of such types that is `BitwiseCopyable`, too, conforms by a promise. It must have no
/// padding whose value matters, and no stored property of another type:
///
/// ```swift
/// struct Point: FullyInhabited, BitwiseCopyable {
///   var x: Float, y: Float
///   static var bitPatterns: BitPatternPromise<Point> { unsafe BitPatternPromise() }
/// }
/// ```
public protocol FullyInhabited {
  /// The promise that any bits are a value.
  static var bitPatterns: BitPatternPromise<Self> { get }
}

/// The promise that any bits are a value of a type, as ``FullyInhabited`` asks for.
@frozen
public struct BitPatternPromise<Element>: Sendable {
  /// Makes the promise.
  ///
  /// - Precondition: any bits are an `Element`; so of a structure's properties, and theirs. That is
  ///   no `Bool`, no enum, no optional, no reference.
  /// - Complexity: O(1).
  @unsafe @inlinable @inline(__always)
  public init() {}
}

// The promise is made for each type by itself: one for all integers would be anybody's who writes
// one.

extension Int: FullyInhabited {
  /// Any bits are an integer.
  public static var bitPatterns: BitPatternPromise<Self> { known() }
}

extension Int8: FullyInhabited {
  /// Any bits are an integer.
  public static var bitPatterns: BitPatternPromise<Self> { known() }
}

extension Int16: FullyInhabited {
  /// Any bits are an integer.
  public static var bitPatterns: BitPatternPromise<Self> { known() }
}

extension Int32: FullyInhabited {
  /// Any bits are an integer.
  public static var bitPatterns: BitPatternPromise<Self> { known() }
}

extension Int64: FullyInhabited {
  /// Any bits are an integer.
  public static var bitPatterns: BitPatternPromise<Self> { known() }
}

extension Int128: FullyInhabited {
  /// Any bits are an integer.
  public static var bitPatterns: BitPatternPromise<Self> { known() }
}

extension UInt: FullyInhabited {
  /// Any bits are an integer.
  public static var bitPatterns: BitPatternPromise<Self> { known() }
}

extension UInt8: FullyInhabited {
  /// Any bits are an integer.
  public static var bitPatterns: BitPatternPromise<Self> { known() }
}

extension UInt16: FullyInhabited {
  /// Any bits are an integer.
  public static var bitPatterns: BitPatternPromise<Self> { known() }
}

extension UInt32: FullyInhabited {
  /// Any bits are an integer.
  public static var bitPatterns: BitPatternPromise<Self> { known() }
}

extension UInt64: FullyInhabited {
  /// Any bits are an integer.
  public static var bitPatterns: BitPatternPromise<Self> { known() }
}

extension UInt128: FullyInhabited {
  /// Any bits are an integer.
  public static var bitPatterns: BitPatternPromise<Self> { known() }
}

extension Float16: FullyInhabited {
  /// Any bits are a number, or none.
  public static var bitPatterns: BitPatternPromise<Self> { known() }
}

extension Float: FullyInhabited {
  /// Any bits are a number, or none.
  public static var bitPatterns: BitPatternPromise<Self> { known() }
}

extension Double: FullyInhabited {
  /// Any bits are a number, or none.
  public static var bitPatterns: BitPatternPromise<Self> { known() }
}

extension SIMD2: FullyInhabited where Scalar: FullyInhabited {
  /// Any bits are elements.
  public static var bitPatterns: BitPatternPromise<Self> { known() }
}

extension SIMD3: FullyInhabited where Scalar: FullyInhabited {
  /// Any bits are elements.
  public static var bitPatterns: BitPatternPromise<Self> { known() }
}

extension SIMD4: FullyInhabited where Scalar: FullyInhabited {
  /// Any bits are elements.
  public static var bitPatterns: BitPatternPromise<Self> { known() }
}

extension SIMD8: FullyInhabited where Scalar: FullyInhabited {
  /// Any bits are elements.
  public static var bitPatterns: BitPatternPromise<Self> { known() }
}

extension SIMD16: FullyInhabited where Scalar: FullyInhabited {
  /// Any bits are elements.
  public static var bitPatterns: BitPatternPromise<Self> { known() }
}

extension SIMD32: FullyInhabited where Scalar: FullyInhabited {
  /// Any bits are elements.
  public static var bitPatterns: BitPatternPromise<Self> { known() }
}

extension SIMD64: FullyInhabited where Scalar: FullyInhabited {
  /// Any bits are elements.
  public static var bitPatterns: BitPatternPromise<Self> { known() }
}

/// The promise for a type of which everybody knows.
private func known<Element>() -> BitPatternPromise<Element> { unsafe BitPatternPromise() }
