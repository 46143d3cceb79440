#!/usr/bin/env bash
# How many lines of the library (SysMem and PageAlloc) the checks and the conformance files run
# through, and which they do not. Status 1 below 95 in 100.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."

here=.build/coverage
# The toolchain's own tools: another llvm may stand first in the path.
bin=$(dirname "$(readlink -f "$(command -v swiftc)")")
mkdir -p "$here/conformance"
for file in Tests/Data/conformance/*.gz; do
  gzip -dc "$file" >"$here/conformance/$(basename "$file" .gz)"
done
Tests/Cross/quietly.sh crosscheck swift build --product crosscheck --scratch-path "$here" \
  -Xswiftc -profile-generate -Xswiftc -profile-coverage-mapping
rm -f "$here"/*.profraw
# Children append to the file. With %m they would add to it, and a function of which several objects
# have a copy would count once for each of them, each time: soon more than a counter holds.
LLVM_PROFILE_FILE=$here/test.profraw "$here/debug/crosscheck" test | tail -n 1
LLVM_PROFILE_FILE=$here/check.profraw "$here/debug/crosscheck" check "$here"/conformance/* |
  tail -n 1
"$bin/llvm-profdata" merge -sparse "$here/test.profraw" "$here/check.profraw" \
  -o "$here/all.profdata"
"$bin/llvm-cov" report "$here/debug/crosscheck" -instr-profile "$here/all.profdata" \
  Sources/SysMem Sources/PageAlloc >"$here/report"
"$bin/llvm-cov" show "$here/debug/crosscheck" -instr-profile "$here/all.profdata" \
  Sources/SysMem Sources/PageAlloc >"$here/lines"

echo "lines that nothing runs through:"
awk -F '|' '
  /^\/.*:$/ { file = $0; sub(/.*\/Sources\//, "", file); next }
  $2 ~ /^ *0$/ { print "  " file $1 ":" $3 }' "$here/lines" | sed 's/: */:/'
awk '/^TOTAL/ {
  printf "%d lines, %d missed, %s covered\n", $8, $9, $10
  exit substr($10, 1, length($10) - 1) + 0 < 95 }' "$here/report"
