#!/usr/bin/env bash
# Builds the programs of this package, runs each, and compares what it prints with Expected.
#
# In Expected a `#` stands for a number, and all other text for itself. A program that cannot show
# anything on a host says so in a line that begins with `not here: `.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."

built=.build/examples
# SwiftPM takes no notice of a header that changed, nor of a file that is new in a package next
# door.
Tests/Cross/fresh.sh "$built" x86_64-unknown-linux-gnu
now=$(find Sources -name '*.swift' | sort)
if [[ ! -e $built/files || $(<"$built/files") != "$now" ]]; then
  touch Sources/Examples/Package.swift Package.swift
  mkdir -p "$built"
  printf '%s\n' "$now" >"$built/files"
fi
Tests/Cross/quietly.sh "the examples" swift build -c release --package-path Sources/Examples \
  --scratch-path "$built"

# differs EXPECTED PRINTED: the first line that is another one; nothing where there is none.
differs() {
  awk '
    NR == FNR { expected[++lines] = $0; next }
    {
      pattern = expected[FNR]
      gsub(/[][(){}|.*+?^$\\]/, "\\\\&", pattern)
      gsub(/#/, "[0-9]+([.][0-9]+)?", pattern)
      if (FNR > lines || $0 !~ "^" pattern "$") {
        print "expected: " expected[FNR] "\nprinted:  " $0
        exit
      }
    }
    END { if (FNR < lines) print "expected: " expected[FNR + 1] "\nprinted no more" }
  ' "$1" "$2"
}

passed=0 failed=0
for expected in Sources/Examples/Expected/*.txt; do
  name=$(basename "$expected" .txt)
  printed=$built/$name.printed
  status=0
  timeout 120 "$built/release/$name" >"$printed" 2>&1 || status=$?
  sed "s/^/$name: /" "$printed"
  if ((status == 0)) && grep -q '^not here: ' "$printed"; then continue; fi
  difference=$(differs "$expected" "$printed")
  if ((status == 0)) && [[ -z $difference ]]; then
    passed=$((passed + 1))
  else
    failed=$((failed + 1))
    printf 'FAILED: %s: status %s\n%s\n' "$name" "$status" "$difference"
  fi
done
echo "$passed passed, $failed failed"
((failed == 0))
