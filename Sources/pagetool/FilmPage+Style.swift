import PageAlloc
import PageTrace

extension FilmPage {
  /// How the page looks, on light ground and on dark, and in print.
  static var style: String {
    """
    :root { color-scheme: light dark; --ground: #ffffff; --text: #1f2328; --faint: #57606a;
      --line: #d0d7de; --strong: #0969da;
    \(colours { $0.lightColour })}
    @media (prefers-color-scheme: dark) {
    :root { --ground: #0d1117; --text: #e6edf3; --faint: #9da7b3; --line: #30363d;
      --strong: #4493f8;
    \(colours { $0.darkColour })}
    }
    \(rules)
    """
  }

  /// The colour of each state as a variable of CSS.
  private static func colours(_ colour: (PageState) -> StaticString) -> String {
    PageState.allCases.map { "  --\($0.name): \(colour($0));\n" }.joined()
  }

  private static let rules = """
    body { margin: 0; background: var(--ground); color: var(--text);
      font: 15px/1.45 system-ui, sans-serif; font-variant-numeric: tabular-nums; }
    main { max-width: 1108px; margin: 0 auto; padding: 20px 16px 40px; }
    h1 { font-size: 22px; margin: 0 0 4px; overflow-wrap: anywhere; }
    p { margin: 4px 0; color: var(--faint); }
    .controls { position: sticky; top: 0; background: var(--ground); display: flex;
      flex-wrap: wrap; align-items: center; gap: 12px; padding: 12px 0; z-index: 1; }
    #slider { flex: 1 1 320px; min-width: 160px; accent-color: var(--strong); }
    #step { min-width: 190px; text-align: right; font-weight: 600; }
    button, select { font: inherit; color: inherit; background: var(--ground);
      border: 1px solid var(--faint); border-radius: 6px; padding: 4px 14px; }
    select { padding: 4px 8px; }
    #play { min-width: 72px; }
    :focus-visible { outline: 3px solid var(--strong); outline-offset: 2px; }
    #map { display: block; width: 100%; height: auto; }
    .figures { display: flex; flex-wrap: wrap; gap: 8px 40px; align-items: flex-end;
      margin: 12px 0 16px; }
    table { border-collapse: collapse; }
    th, td { padding: 2px 12px 2px 0; text-align: right; font-weight: 400; }
    th[scope=row] { text-align: left; white-space: nowrap; }
    thead th { color: var(--faint); }
    td { min-width: 76px; }
    .swatch { display: inline-block; width: 14px; height: 14px; margin-right: 8px;
      vertical-align: -2px; border: 1px solid var(--faint); }
    #chart svg { display: block; width: 100%; height: auto; cursor: ew-resize;
      touch-action: pan-y; }
    #chart .cursor { stroke: var(--text); stroke-width: 2; }
    kbd { font: inherit; font-size: 13px; border: 1px solid var(--line); border-radius: 4px;
      padding: 0 5px; }
    @media print { .controls, .keys { display: none; } }
    """
}
