#!/usr/bin/env bash
# Opens the pages that pagetool film makes in a browser, headless Chromium, on light ground and on
# dark; moves the slider, presses keys, plays; and looks at what is shown, by
# Tests/Browser/checks.js.
# What is in use at each step is counted from the recording by other means than pagetool's.
#
#   film.sh PAGETOOL TRACE...
#
# A page is to open within two seconds, and to have 10 MB at most.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."

tool=$1
shift
folder=.build/browser
mkdir -p "$folder"
passed=0 failed=0

browser=
find_browser() {
  local name
  for name in chromium chromium-browser google-chrome; do
    if command -v "$name" >/dev/null; then browser=$name && return 0; fi
  done
  return 1
}
# Only root can install it: unpacked somewhere it would lack a hundred other packages.
if ! find_browser && [[ $(id -u) == 0 ]]; then
  Tests/Cross/provide.sh chromium || true
  find_browser || true
fi
if [[ -z $browser ]]; then
  # A gate that cannot run says so, and is none that failed.
  echo "left out: there is no Chromium here; Debian has it in the package chromium"
  echo "0 passed, 0 failed, 1 left out"
  exit 0
fi

# open FILE ADDRESS-SUFFIX OPTION...: the page as it is after a while, as text.
open() {
  local file=$1 suffix=$2 profile
  shift 2
  profile=$(mktemp -d)
  timeout 120 "$browser" --headless=new --no-sandbox --disable-gpu --user-data-dir="$profile" \
    --window-size=1200,900 "$@" --dump-dom "file://$PWD/$file$suffix" \
    2>"$folder/browser.log" || true
  rm -rf "$profile"
}

# verdict NAME COMMAND...: whether the command succeeds.
verdict() {
  local name=$1
  shift
  if "$@"; then
    passed=$((passed + 1))
  else
    failed=$((failed + 1))
    echo "FAILED: $name"
  fi
}

# The pages in use after each step of a recording on standard input: "step pages" in each line.
count_live() {
  awk '/^#/ { next }
    BEGIN { print 0, 0 }
    $1 == "a" { size[$2] = $3; live += $3 }
    $1 == "r" { live += $3 - size[$2]; size[$2] = $3 }
    $1 == "f" { live -= $4 }
    { print ++step, live }'
}

# The page with checks in it: errors are noted from the start on, and the checks run at the end.
with_checks() {
  local page=$1 name=$2
  sed '/<\/head>/,$d' "$page"
  echo '<script>const pageErrors = [];'
  echo 'addEventListener("error", (e) => pageErrors.push(e.message));'
  echo '</script>'
  sed -n '/<\/head>/,$p' "$page" | sed '/^<\/body>$/,$d'
  echo "<script>const expectedTitle = \"$name\"; const live = {"
  awk '{ printf "%d:%d,", $1, $2 }' "$folder/live"
  echo '}, hugePages = {'
  # The figures of a frame are in the order of their names.
  awk '$1 == "\"hugePages\"" { huge = $3 + 0 } $1 == "\"step\"" { printf "%d:%d,", $3, huge }' \
    "$folder/film.json"
  echo '};</script><script>'
  cat Tests/Browser/checks.js
  echo '</script></body></html>'
}

for trace; do
  name=$(basename "$trace" .trace.gz)
  page=$folder/$name.html
  verdict "$name: the film is made" "$tool" film --json "$trace" -o "$page" >"$folder/film.json"
  bytes=$(stat -c %s "$page")
  verdict "$name: $bytes bytes are at most 10 MB" test "$bytes" -le 10000000
  # The steps that the film shows, and what is in use then.
  gzip -dc "$trace" | count_live >"$folder/all"
  grep -oE '"step" : [0-9]+' "$folder/film.json" |
    awk 'NR == FNR { wanted[$3]; next } $1 in wanted' - "$folder/all" >"$folder/live"
  verdict "$name: frames" test "$(wc -l <"$folder/live")" -ge 100
  with_checks "$page" "$name" >"$folder/checked.html"

  for ground in light dark; do
    options=()
    [[ $ground == light ]] || options=(--blink-settings=preferredColorScheme=0)
    open "$folder/checked.html" "" --virtual-time-budget=10000 "${options[@]}" >"$folder/shown.html"
    sed 's/.*<pre id="verdicts">//' "$folder/shown.html" |
      grep -E '^(ok|FAILED|ground|milliseconds|checks|failures): ' >"$folder/verdicts" || true
    grep '^FAILED' "$folder/verdicts" | sed "s/^FAILED: /FAILED: $name, $ground: /" || true
    figure() { sed -n "s/<.*//; s/^$1: //p" "$folder/verdicts"; }
    checks=$(figure checks) failures=$(figure failures)
    verdict "$name: the checks came to their end on $ground ground" \
      test "$(figure ground)" = "$ground"
    passed=$((passed + ${checks:-0} - ${failures:-0})) failed=$((failed + ${failures:-0}))
  done

  # How long it takes to open is told by the page as it is, without virtual time; and by the clock
  # on the wall, the start and the end of the browser included.
  start=$(date +%s%N)
  open "$page" "#step=1234" >"$folder/shown.html"
  wall=$((($(date +%s%N) - start) / 1000000))
  milliseconds=$(sed -n 's/.*<html[^>]* data-milliseconds="\([0-9]*\)".*/\1/p' "$folder/shown.html")
  echo "$name: $bytes bytes, opened in ${milliseconds:-?} ms" \
    "($wall ms with the browser's start and end)"
  verdict "$name: it opens within 2 s" test "${milliseconds:-9999}" -le 2000
  # The address asks for a step: the last that is shown and not beyond it.
  shown=$(sed -n 's/.*<output[^>]*>Step \([0-9,]*\) of.*/\1/p' "$folder/shown.html" | tr -d ,)
  verdict "$name: the address asks for step 1234" \
    test "$shown" = "$(awk '$1 <= 1234 { step = $1 } END { print step }' "$folder/live")"
done
echo "$passed passed, $failed failed"
[[ $failed == 0 ]]
