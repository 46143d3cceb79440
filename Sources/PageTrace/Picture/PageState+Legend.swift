import PageAlloc

// How states are shown. The colours are those of Okabe and Ito, which people with any kind of
// colour blindness tell apart, with the blues made darker and lighter: so printed in grey they
// still go from dark, what is in use, to light, what was never used. Their lightness (L* of CIELAB)
// on light ground: guard 0, in use 33, cached 53, free 71, given back 85, never used 95. On dark
// ground the blues swap, so that what is in use stands out most there, too.

extension PageState {
  /// All states, from what matters most to what costs nothing.
  package static let inLegendOrder: [PageState] = [
    .inUse, .guardPage, .atHand, .free, .empty, .neverUsed,
  ]

  /// What a legend calls it.
  package var title: StaticString {
    switch self {
    case .inUse: "in use"
    case .guardPage: "guard"
    case .atHand: "cached"
    case .free: "free resident"
    case .empty: "given back"
    case .neverUsed: "never used"
    }
  }

  /// Its character in a terminal: the more ink, the more it costs.
  package var glyph: StaticString {
    switch self {
    case .inUse: "█"
    case .guardPage: "┃"
    case .atHand: "▓"
    case .free: "▒"
    case .empty: "░"
    case .neverUsed: "·"
    }
  }

  /// Its colour in a terminal, one of 256.
  var terminalColour: Int {
    switch self {
    case .inUse: 32
    case .guardPage: 201
    case .atHand: 166
    case .free: 214
    case .empty: 110
    case .neverUsed: 244
    }
  }

  /// Its colour on light ground, and on paper.
  package var lightColour: StaticString {
    switch self {
    case .inUse: "#005083"
    case .guardPage: "#000000"
    case .atHand: "#d55e00"
    case .free: "#e69f00"
    case .empty: "#a9d9f3"
    case .neverUsed: "#f0f0f0"
    }
  }

  /// Its colour on dark ground.
  package var darkColour: StaticString {
    switch self {
    case .inUse: "#8fcdf5"
    case .guardPage: "#ffffff"
    case .atHand: "#d55e00"
    case .free: "#e69f00"
    case .empty: "#2c5573"
    case .neverUsed: "#23282f"
    }
  }
}
