// How pictures look. The colours of ground and text are the same in all of them, on light ground
// and on dark: which one it is the viewer says, by `prefers-color-scheme`. Paper is light.

/// The rules of CSS that a picture brings along.
public struct SVGStyle {
  private var rules = ""
  private var darkRules = ""

  /// What a colour is for.
  public enum Use {
    /// The inside of rectangles, letters, and areas.
    case fill
    /// Lines.
    case stroke
  }

  /// The kinds that every picture has: `ground`, which is to lie below all else; for text `head`,
  /// `words` and `small`; `grid` for lines that help to read.
  public init() {
    add(rule: "text{font-family:system-ui,sans-serif}")
    add(rule: ".head{font-size:18px;font-weight:600}.words{font-size:14px}.small{font-size:13px}")
    add(rule: "path{fill:none;shape-rendering:crispEdges}")
    add("text", .fill, light: "#1f2328", dark: "#e6edf3")
    add(".ground", .fill, light: "#ffffff", dark: "#0d1117")
    add(".grid", .stroke, light: "#d8dee4", dark: "#30363d")
  }

  /// A colour of all that a selector names: `.used` names the kind `used`.
  public mutating func add(_ selector: String, _ use: Use, light: String, dark: String) {
    let property = use == .fill ? "fill" : "stroke"
    rules += "\(selector){\(property):\(light)}\n"
    if !light.utf8.elementsEqual(dark.utf8) { darkRules += "\(selector){\(property):\(dark)}\n" }
  }

  /// A rule that holds on any ground.
  public mutating func add(rule: String) { rules += "\(rule)\n" }

  /// All of it, as CSS.
  public var text: String { "\(rules)@media (prefers-color-scheme:dark){\n\(darkRules)}\n" }
}
