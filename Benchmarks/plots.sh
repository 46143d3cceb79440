#!/usr/bin/env bash
# Draws the plots of the last results anew, as SVG.
#
#   plots.sh        the SVG files
#   plots.sh png    and a PNG of each, twice as large in each direction, by rsvg-convert
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

results=Benchmarks/results
[[ -e $results/latest.json ]] || {
  echo "error: there is no $results/latest.json; make bench makes one" >&2
  exit 1
}
Benchmarks/.build/release/bench --redraw "$results/latest.json" --output "$results"
[[ ${1:-} == png ]] || exit 0
command -v rsvg-convert >/dev/null || {
  echo "error: rsvg-convert is not installed: Debian has it in librsvg2-bin" >&2
  exit 1
}
for plot in "$results"/plots/*.svg; do
  rsvg-convert --zoom 2 "$plot" --output "${plot%.svg}.png"
done
