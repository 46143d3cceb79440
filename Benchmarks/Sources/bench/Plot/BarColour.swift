/// A colour of bars: on light ground and on paper, and on dark ground.
///
/// They are Okabe and Ito's, which people with any kind of colour blindness tell apart. On dark
/// ground the blue is lighter. Bars of a group always come in the order of the legend, so that one
/// can do without colours, too.
struct BarColour {
  let light: String
  let dark: String

  private init(_ light: String, dark: String? = nil) {
    self.light = light
    self.dark = dark ?? light
  }

  /// The colour of an allocator: ours is the strong one.
  init(of name: String) {
    switch name {
    case Peers.ours: self.init("#d55e00")
    case Peers.raw: self.init("#999999")
    case Peers.floor: self.init("#57606a", dark: "#d8dee4")
    case "swift": self.init("#cc79a7")
    case "glibc": self.init("#56b4e9")
    case "jemalloc": self.init("#009e73")
    case "mimalloc": self.init("#e69f00")
    default: self.init("#0072b2", dark: "#4d9fd6")
    }
  }
}
